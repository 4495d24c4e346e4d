import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrainingSummary } from '../../src/contracts/jobs.ts';
import type { JobEvent } from '../../src/contracts/worker-protocol.ts';
import type { JobLauncher, JobSubmission } from '../../src/ports/job-launcher.ts';
import { processIdentity } from '../../src/workers/process-identity.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';
import { faults, keeperOf } from './faults.ts';

const mostAttempts = 12;

/** Where struck jobs run. */
export interface Ground {
  readonly runtime: PythonRuntime;
  readonly launcher: JobLauncher;
  readonly jobsFolder: string;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A fault by its name, and after how many events of an attempt it strikes. */
export interface Strike {
  readonly name: string;
  readonly after: number;
}

/** What a tuning came to, to be compared: losses and weights, and where its adapter lies. */
export interface Outcome {
  readonly adapter: string;
  readonly losses: string;
  readonly weights: string;
}

/** Runs a job to its end through strikes, the first in its first attempt and so on, and says what it had to be and was not. */
export async function strike(
  ground: Ground,
  submission: JobSubmission,
  strikes: readonly Strike[],
  expected: Outcome,
): Promise<{ readonly attempts: number; readonly struck: readonly string[]; readonly violations: readonly string[] }> {
  const { launcher, jobsFolder } = ground;
  const violations: string[] = [];
  const struck: string[] = [];
  const lives: JobEvent[][] = [];
  for (let attempt = 0; ; attempt += 1) {
    if (attempt === mostAttempts)
      return { attempts: attempt, struck, violations: [`${submission.id}: not done after ${attempt} attempts`] };
    const job = await launcher.submit(submission);
    const next = strikes[attempt];
    const events: JobEvent[] = [];
    for await (const event of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(180_000) })) {
      events.push(event);
      if (events.length !== next?.after) continue;
      await faults[next.name]!({ ...ground, submission, job });
      struck.push(next.name);
    }
    lives[job.attempt - 1] = events;
    const kept = keeperOf({ jobsFolder, job });
    for (const pid of [kept?.pid, kept?.worker])
      if (pid && (await outlives(pid))) violations.push(`${submission.id}: process ${pid} is left`);
    const state = await launcher.state(submission.id);
    if (state?.state === 'ended' && state.exit.code === 0) break;
  }
  const found = await outcome(launcher, submission);
  for (const part of ['losses', 'weights'] as const)
    if (found[part] !== expected[part])
      violations.push(`${submission.id}: its ${part} differ from those of a run that nothing happened to`);
  violations.push(...lives.flatMap((events, index) => violationsOf(submission.id, lives[index - 1] ?? [], events)));
  return { attempts: lives.length, struck, violations };
}

/** Runs a job to its end if it has not ended, and returns its losses and weights to compare, and where its adapter lies. */
export async function outcome(launcher: JobLauncher, submission: JobSubmission): Promise<Outcome> {
  const job = await launcher.submit(submission);
  for await (const _ of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(180_000) }));
  const state = await launcher.state(submission.id);
  if (state?.state !== 'ended' || state.exit.code !== 0) throw new Error(`${submission.id} did not end well: ${JSON.stringify(state)}`);
  const { losses } = TrainingSummary.parse(JSON.parse(await readFile(state.outputs['summary']!, 'utf8')));
  const adapter = state.outputs['adapter']!;
  const weights = await readFile(join(adapter, 'adapter_model.safetensors'));
  return { adapter, losses: JSON.stringify(losses), weights: createHash('sha256').update(weights).digest('hex') };
}

/** What is wrong between an attempt and the one before it. */
function violationsOf(id: string, before: readonly JobEvent[], events: readonly JobEvent[]): readonly string[] {
  const found: string[] = [];
  if (events.filter(({ type }) => type === 'hello').length > 1) found.push(`${id}: an attempt had two workers`);
  const [last, first] = [before.at(-1), events[0]];
  if (last !== undefined && first !== undefined && first.t < last.t)
    found.push(`${id}: an attempt began before the one before it had ended`);
  const done = stepsOf(before).at(-1);
  const next = stepsOf(events)[0];
  const preempted = before.some((event) => event.type === 'warn' && event.data.reason === 'preempted');
  if (preempted && done !== undefined && next !== undefined && next < done)
    found.push(`${id}: preempted after step ${done}, went on with ${next}`);
  return found;
}

function stepsOf(events: readonly JobEvent[]): readonly number[] {
  return events.flatMap((event) => (event.type === 'progress' && event.data.unit === 'steps' ? [event.data.done] : []));
}

/** Whether a process that should end with its attempt is still there a while later. */
async function outlives(pid: number): Promise<boolean> {
  for (let look = 0; look < 40 && processIdentity(pid) !== null; look += 1) await new Promise((resolve) => setTimeout(resolve, 50));
  return processIdentity(pid) !== null;
}
