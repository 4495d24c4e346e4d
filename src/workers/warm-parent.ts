import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { claimed } from './start-keeper.ts';
import { type PythonRuntime, workerVariables } from './python-runtime.ts';

const claimMs = 20_000;

/** A Python process that has imported what jobs need and forks their keepers. */
export interface WarmParent {
  /** Starts a keeper for an attempt; false where that did not work, so that the caller starts one by itself. */
  start(folder: string, secrets: Readonly<Record<string, string>>): Promise<boolean>;
}

/** One for an environment; started with the first job, ended with this process. What goes wrong with it costs time and nothing else. */
export function warmParent(runtime: PythonRuntime): WarmParent {
  let running: Promise<ChildProcess | null> | undefined;
  return {
    async start(folder, secrets) {
      let parent = await (running ??= startParent(runtime));
      // It was killed, or ended itself because the code of the workers had changed.
      if (parent !== null && hasEnded(parent)) parent = await (running = startParent(runtime));
      if (parent === null) {
        running = undefined;
        return false;
      }
      const { stdin } = parent;
      const ended = (): boolean => hasEnded(parent);
      const variables = { ...secrets, TWIN_MASKED: Object.keys(secrets).join(',') };
      stdin!.write(`${JSON.stringify({ attempt: folder, variables })}\n`);
      return claimed(folder, claimMs, ended);
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Resolves once everything is imported; null where the process ended before. */
async function startParent(runtime: PythonRuntime): Promise<ChildProcess | null> {
  const { python } = await runtime.ready();
  const parent = spawn(python, ['-m', 'twin_workers', 'warm'], {
    cwd: runtime.workersFolder,
    env: workerVariables(runtime.workersFolder),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  parent.on('error', () => {});
  parent.stdin.on('error', () => {});
  // It dies when standard input closes, which it does when this process ends; nothing waits for it.
  parent.unref();
  for (const stream of [parent.stdin, parent.stdout]) (stream as unknown as { unref?(): void }).unref?.();
  const lines = createInterface({ input: parent.stdout });
  const ready = Promise.withResolvers<ChildProcess | null>();
  lines.once('line', () => ready.resolve(parent));
  parent.once('close', () => ready.resolve(null));
  // Until it is ready somebody waits for it.
  parent.ref();
  const found = await ready.promise;
  parent.unref();
  return found;
}
