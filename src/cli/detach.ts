import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOutcome } from '../contracts/command-results.ts';
import type { RunEvent } from '../contracts/events/run.ts';
import { type CommandContext, done, refused } from './context.ts';

const lookEveryMs = 50;

/** The flag by which the process in the background knows that it is that. */
export const detachedFlag = '--detached';

/**
 * Runs the same command line in a session of its own, which neither this terminal nor its end reaches, and comes back once the run has begun.
 * What it says lies in a file of the logs; the run itself is followed, shown and cancelled as any other.
 */
export async function detach(context: CommandContext, logs: string, argv: readonly string[] = process.argv): Promise<CommandOutcome> {
  const [node, script, ...rest] = argv;
  const args = [script!, ...rest.filter((argument) => argument !== '--detach' && argument !== '--json' && argument !== '--quiet')];
  const folder = join(logs, 'detached');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${new Date().toISOString().replaceAll(':', '-')}-${process.pid}.jsonl`);
  const output = await open(file, 'wx');
  const child = spawn(node!, [...args, '--json', detachedFlag], {
    cwd: context.folder,
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  });
  child.unref();
  await output.close();
  let exit: number | null = null;
  once(child, 'exit').then(
    ([code]) => (exit = (code as number | null) ?? 1),
    () => (exit = 1),
  );
  for (;;) {
    const ended = exit;
    const started = (await events(file)).find((event) => event.type === 'run-started');
    if (started) return done({ type: 'run-detached', run: started.run, pid: child.pid!, log: file });
    if (ended !== null) return notStarted(file, ended);
    await delay(lookEveryMs, undefined, { signal: context.signal });
  }
}

async function events(file: string): Promise<readonly RunEvent[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as RunEvent);
}

async function notStarted(file: string, exit: number): Promise<CommandOutcome> {
  const found = (await readFile(file, 'utf8')).trim().split('\n').slice(-5).join('\n');
  const problem = {
    reason: 'detached-failed',
    message: 'The run in the background ended before it had begun',
    where: file,
    found: found === '' ? 'no output' : found,
    hint: 'Run it without --detach to see what is wrong',
    exit: exit === 2 ? 2 : 1,
  } as const;
  return refused([problem]);
}
