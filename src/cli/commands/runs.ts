import type { CommandOutcome } from '../../contracts/command-results.ts';
import { listRuns as known, showRun as view } from '../../history/runs.ts';
import { type CommandContext, done, refused, wholeNumber } from '../context.ts';
import { openSession } from '../session.ts';

/** `twin runs list`: newest first. */
export async function listRuns(
  context: CommandContext,
  options: { readonly limit: string; readonly pipeline?: string },
): Promise<CommandOutcome> {
  const limit = wholeNumber('--limit', options.limit);
  if (typeof limit !== 'number') return refused([limit]);
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { pipeline } = options;
  return done({
    type: 'runs',
    runs: await known(await session.value.wired.journal(), { limit, ...(pipeline === undefined ? {} : { pipeline }) }),
  });
}

/** `twin runs show [run]`: every step with its outcome and reason. */
export async function showRun(context: CommandContext, _options: object, run = 'latest'): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const shown = await view(await session.value.wired.journal(), run);
  return shown.ok ? done({ type: 'run', view: shown.value }) : refused([shown.error]);
}
