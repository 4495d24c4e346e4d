import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError } from '../contracts/problem.ts';
import { attemptStatus, lastLines } from './attempt-folder.ts';
import { workerVariables } from './python-runtime.ts';
import type { PythonRuntime } from './python-runtime.ts';

/** Python starts in a tenth of a second; on a machine that is short of everything it may take this long. */
const claimMs = 60_000;
/** Between two looks for the claim, growing from the first to the second: a warm parent's keeper is there in milliseconds. */
const firstLookMs = 1;
const lastLookMs = 20;

/**
 * Starts a keeper for an attempt and waits until one has claimed it. The keeper outlives this process.
 * Secrets travel in its environment, where the keeper finds by name what it must mask.
 * Of several keepers one claims the attempt and the others end, so starting one too many is harmless.
 */
export async function startKeeper(runtime: PythonRuntime, folder: string, secrets: Readonly<Record<string, string>> = {}): Promise<void> {
  const { python } = await runtime.ready();
  const log = await open(join(folder, 'output.log'), 'a');
  const end: { how: string | null } = { how: null };
  try {
    const keeper = spawn(python, ['-m', 'twin_workers', 'keep', folder], {
      // Python looks for modules in its working folder first; the user's folder may hold one named like a library.
      cwd: runtime.workersFolder,
      env: { ...workerVariables(runtime.workersFolder), ...secrets, TWIN_MASKED: Object.keys(secrets).join(',') },
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
    });
    keeper.once('error', (error) => (end.how = `could not be started: ${error.message}`));
    keeper.once('exit', (code, signal) => (end.how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`));
    keeper.unref();
    if (await claimed(folder, claimMs, () => end.how !== null)) return;
    if (end.how === null) keeper.kill('SIGKILL');
  } finally {
    await log.close();
  }
  throw new ProblemError({
    reason: 'keeper-failed',
    message: end.how === null ? `The keeper of a job did not start within ${claimMs / 1000} seconds.` : `The keeper of a job ${end.how}.`,
    where: folder,
    found: (await lastLines(folder)).slice(-20).join('\n') || 'no output',
    hint: 'Run `twin doctor` to check the Python environment.',
    exit: 1,
  });
}

/** Whether a keeper claims the attempt in the given time, or before `over` holds. */
export async function claimed(folder: string, timeoutMs: number, over: () => boolean = () => false): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let lookMs = firstLookMs; ; lookMs = Math.min(lookMs * 2, lastLookMs)) {
    const last = over() || performance.now() > deadline;
    if ((await attemptStatus(folder)).state !== 'unclaimed') return true;
    if (last) return false;
    await delay(lookMs);
  }
}
