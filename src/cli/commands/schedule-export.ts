import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { nameHint } from '../../config/name-hint.ts';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { type Clock, clocks, exportTo } from '../../schedules/export.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findSchedule } from '../find-schedule.ts';
import { openSession } from '../session.ts';

/** `twin schedule export <name> --to <clock>`: the files by which another clock raises the ticks. */
export async function exportSchedule(
  context: CommandContext,
  options: { readonly to: string; readonly output?: string; readonly image?: string },
  name: string,
): Promise<CommandOutcome> {
  const { to, output, image = null } = options;
  if (!clocks.includes(to as Clock)) {
    const hint = nameHint(to, clocks, 'clocks');
    return refused([{ reason: 'invalid-flag', message: '--to has a wrong value', expected: clocks.join(', '), found: to, hint, exit: 2 }]);
  }
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { spec } = await (await findSchedule(await session.value.wired.journal(), name)).read();
  const exported = exportTo(to as Clock, {
    name,
    spec: spec!,
    twin: twinWords(context.folder),
    folder: context.folder,
    state: context.environment['TWIN_STATE'] === undefined ? null : session.value.wired.state.root,
    image,
  });
  if (!exported.ok) return refused([exported.error]);
  const first = output === undefined ? null : resolve(context.folder, output);
  const files = [];
  for (const [at, { name: file, text }] of exported.value.entries()) {
    const path = first === null ? null : at === 0 ? first : join(dirname(first), file);
    if (path !== null) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    files.push({ name: file, path: path === null ? null : relative(context.folder, path), text });
  }
  return done({ type: 'schedule-files', files, next: nextSteps(to as Clock, name, files[0]?.path ?? '') });
}

/** How twin is started in a folder: a checkout of twin itself, or one that has it as a package. */
function twinWords(folder: string): readonly string[] {
  return existsSync(join(folder, 'bin/twin.js')) ? ['node_modules/.bin/node', 'bin/twin.js'] : ['node_modules/.bin/twin'];
}

function nextSteps(clock: Clock, name: string, path: string): readonly string[] {
  switch (clock) {
    case 'github':
      return [`git add ${path}: it runs from the default branch`];
    case 'systemd':
      return [`systemctl --user daemon-reload && systemctl --user enable --now twin-${name}.timer`];
    case 'cron':
      return [`crontab -l | cat - ${path} | crontab -`];
    case 'kubernetes':
      return [`kubectl apply -f ${path}`];
  }
}
