import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localJobLauncher } from '../src/adapters/job-launcher/local.ts';
import { TrainingSummary } from '../src/contracts/jobs.ts';
import type { JobEvent } from '../src/contracts/worker-protocol.ts';
import { randomFrom } from '../src/metrics/random.ts';
import type { JobLauncher, JobSubmission } from '../src/ports/job-launcher.ts';
import { locateEnvironment, userCacheFolder } from '../src/workers/environment.ts';
import { processIdentity } from '../src/workers/process-identity.ts';
import { runtimeOf, workersFolder } from '../tests/support/python-runtime.ts';
import { tinyDpo, tinySft } from '../tests/support/tiny-training.ts';
import type { Soak } from './soak.ts';
import { faultTable } from './training/fault-table.ts';
import { faults, keeperOf } from './training/faults.ts';

const rounds = 6;
const steps = { 'train-sft': 24, 'train-dpo': 10 };
const mostFaults = 4;
const mostAttempts = 12;
// Looked for before a seed moves the cache.
const environment = locateEnvironment({ lockFile: join(workersFolder, 'requirements.lock'), cacheFolder: userCacheFolder() });
/** The table of faults is the same for every seed: it is made for the first. */
const tabled = { verdicts: 0 };
/** A tuning of so many steps says about this much. */
const mostEvents = 60;

/**
 * Real tunings on a tiny base, each struck by faults at any event of its protocol: in the end every loss and every weight is that of a run that
 * nothing happened to, no process is left, no attempt began before the one before it had ended, and a preemption redid one step at most.
 */
export const soak: Soak = async (seed, { folder, signal }) => {
  if (environment === null) throw new Error('This soak trains: build the Python environment first, `npx twin doctor` says how');
  // What a struck job took teaches no estimate; on one thread sums are added in one order.
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  process.env['OMP_NUM_THREADS'] = '1';
  const source = randomFrom(seed);
  const random = () => source.uint32() / 2 ** 32;
  const runtime = runtimeOf(environment.python, environment);
  const jobsFolder = join(folder, 'jobs');
  await mkdir(jobsFolder);
  const launcher = localJobLauncher({ jobsFolder, runtime, leaseSeconds: 60, start: 'warm' });

  const sft = await tinySft(launcher, folder);
  const wholeSft = sft('whole-sft', steps['train-sft'], seed);
  const { adapter, ...expectedSft } = await outcome(launcher, wholeSft);
  const dpo = await tinyDpo(folder, wholeSft, adapter);
  const expectedDpo = await outcome(launcher, dpo('whole-dpo', steps['train-dpo']));

  const violations: string[] = [];
  if (tabled.verdicts === 0) {
    const faulty = (id: string) => sft(id, steps['train-sft'], seed);
    const table = await faultTable(runtime, folder, faulty, (id) => dpo(id, steps['train-dpo']));
    tabled.verdicts = table.verdicts.length;
    console.log('| fault | verdict | class | action | seconds to it |\n| --- | --- | --- | --- | --- |');
    for (const { fault, verdict, class: found, action, seconds } of table.verdicts)
      console.log(`| ${fault} | ${verdict} | ${found ?? ''} | ${action} | ${seconds?.toFixed(2) ?? ''} |`);
    violations.push(...table.violations);
  }
  const names = Object.keys(faults);
  const struck = new Map<string, number>();
  let attempts = 0;
  for (let round = 0; round < rounds && !signal.aborted && violations.length === 0; round += 1) {
    const isSft = round % 2 === 0;
    const submission = isSft ? sft(`sft-${round}`, steps['train-sft'], seed) : dpo(`dpo-${round}`, steps['train-dpo']);
    const plan = Array.from({ length: 1 + Math.floor(random() * mostFaults) }, () => ({
      name: names[Math.floor(random() * names.length)]!,
      after: 1 + Math.floor(random() * mostEvents),
    }));
    const lives: JobEvent[][] = [];
    for (let attempt = 1; ; attempt += 1) {
      if (attempt > mostAttempts) {
        violations.push(`${submission.id}: not done after ${mostAttempts} attempts (${plan.map(({ name }) => name).join(', ')})`);
        break;
      }
      const job = await launcher.submit(submission);
      const fault = plan[attempt - 1];
      const events: JobEvent[] = [];
      for await (const event of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(180_000) })) {
        events.push(event);
        if (events.length !== fault?.after) continue;
        await faults[fault.name]!({ runtime, launcher, jobsFolder, submission, job, random });
        struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
      }
      lives[job.attempt - 1] = events;
      const kept = keeperOf({ jobsFolder, job });
      for (const pid of [kept?.pid, kept?.worker])
        if (pid && (await outlives(pid))) violations.push(`${submission.id}: process ${pid} is left`);
      const state = await launcher.state(submission.id);
      if (state?.state === 'ended' && state.exit.code === 0) break;
    }
    attempts += lives.length;
    if (violations.length > 0) break;
    const found = await outcome(launcher, submission);
    const expected = isSft ? expectedSft : expectedDpo;
    if (found.losses !== expected.losses)
      violations.push(`${submission.id}: its losses differ from those of a run that nothing happened to`);
    if (found.weights !== expected.weights)
      violations.push(`${submission.id}: its weights differ from those of a run that nothing happened to`);
    violations.push(...lives.flatMap((events, index) => violationsOf(submission.id, lives[index - 1] ?? [], events)));
  }
  const told = [...struck].map(([name, count]) => `${count} x ${name}`).join(', ');
  return { did: `${rounds} jobs in ${attempts} attempts; ${told}`, violations };
};

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

/** Runs a job to its end if it has not ended, and returns its losses and weights to compare, and where its adapter lies. */
async function outcome(launcher: JobLauncher, submission: JobSubmission) {
  const job = await launcher.submit(submission);
  for await (const _ of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(180_000) }));
  const state = await launcher.state(submission.id);
  if (state?.state !== 'ended' || state.exit.code !== 0) throw new Error(`${submission.id} did not end well: ${JSON.stringify(state)}`);
  const { losses } = TrainingSummary.parse(JSON.parse(await readFile(state.outputs['summary']!, 'utf8')));
  const adapter = state.outputs['adapter']!;
  const weights = await readFile(join(adapter, 'adapter_model.safetensors'));
  return { adapter, losses: JSON.stringify(losses), weights: createHash('sha256').update(weights).digest('hex') };
}
