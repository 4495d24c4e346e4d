import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobLauncher, JobSubmission, SubmittedJob } from '../../src/ports/job-launcher.ts';
import { startKeeper } from '../../src/workers/start-keeper.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';

/** A job that runs, and what a fault may need of it. */
export interface Target {
  readonly runtime: PythonRuntime;
  readonly launcher: JobLauncher;
  readonly jobsFolder: string;
  readonly submission: JobSubmission;
  readonly job: SubmittedJob;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Returns once it was done; the job may have ended before, and then nothing happens. */
export type Fault = (target: Target) => Promise<void>;

/** What may happen to a training job, by name. */
export const faults: Readonly<Record<string, Fault>> = {
  async preempt({ launcher, job }) {
    await launcher.command(job.id, 'stop').catch(notRunning);
  },
  async 'save now'({ launcher, job }) {
    await launcher.command(job.id, 'save-now').catch(notRunning);
  },
  async 'kill -9 of the worker'(target) {
    kill(keeperOf(target)?.worker);
  },
  async 'kill -9 of the keeper'(target) {
    kill(keeperOf(target)?.pid);
  },
  async 'SIGTERM to the keeper'(target) {
    kill(keeperOf(target)?.pid, 'SIGTERM');
  },
  async 'kill -9 of the warm parent'() {
    for (const pid of warmParents()) kill(pid);
  },
  async 'a second keeper'(target) {
    await startKeeper(target.runtime, attemptOf(target));
  },
  async 'a checkpoint cut short'(target) {
    kill(keeperOf(target)?.pid);
    const folder = join(target.jobsFolder, target.job.id, 'checkpoints');
    const checkpoints = namesIn(folder).filter((name) => /^checkpoint-\d+$/.test(name));
    const newest = checkpoints.toSorted((a, b) => Number(a.split('-')[1]) - Number(b.split('-')[1])).at(-1);
    if (newest === undefined) return;
    // The worker may write to it until it has died with its keeper.
    await delay(1000);
    const files = namesIn(join(folder, newest)).map((name) => join(folder, newest, name));
    const file = files[Math.floor(target.random() * files.length)];
    if (file !== undefined) truncateSync(file, Math.floor(statSync(file).size * target.random()));
  },
  async 'kill -9 of another twin that adopted it'({ runtime, jobsFolder, submission }) {
    const { python } = await runtime.ready();
    const args = [join(import.meta.dirname, 'puppet.ts'), jobsFolder, python, JSON.stringify(submission)];
    const twin = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(twin.stdout, 'data');
    twin.kill('SIGKILL');
    await once(twin, 'exit');
  },
};

/** The processes of an attempt, once its keeper has said who it is. */
export interface KeptBy {
  readonly pid: number;
  readonly worker: number | null;
}

/** Who keeps the attempt of a job; null before anybody does. */
export function keeperOf({ jobsFolder, job }: Pick<Target, 'jobsFolder' | 'job'>): KeptBy | null {
  try {
    return JSON.parse(readFileSync(join(attemptOf({ jobsFolder, job }), 'keeper.json'), 'utf8')) as KeptBy;
  } catch {
    return null;
  }
}

function attemptOf({ jobsFolder, job }: Pick<Target, 'jobsFolder' | 'job'>): string {
  return join(jobsFolder, job.id, 'attempts', String(job.attempt));
}

function warmParents(): readonly number[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const parent = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[1];
        return parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('twin_workers\0warm\0');
      } catch {
        return false;
      }
    });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function kill(pid: number | null | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (pid === null || pid === undefined) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function notRunning(error: unknown): void {
  if ((error as { problem?: { reason: string } }).problem?.reason !== 'job-not-running') throw error;
}
