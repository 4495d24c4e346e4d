import { ProblemError } from '../contracts/problem.ts';
import type { JobLauncher, SubmittedJob } from '../ports/job-launcher.ts';
import type { JobStep } from './define.ts';
import { inputPath } from './inputs.ts';
import { jobFailure } from './job-failure.ts';
import { storeJobOutputs } from './job-outputs.ts';
import type { Attempt, Made } from './run-context.ts';
import { leaveJobs } from './run-options.ts';
import { type StepTools, stepTools } from './step-tools.ts';
import type { JobEvent } from '../contracts/worker-protocol.ts';

type ErrorEvent = JobEvent & { readonly type: 'error' };

/** Hands a request to a Python job, follows it and stores its outputs. A job of the same key that runs already is followed instead. */
export async function runJobStep(step: JobStep, attempt: Attempt): Promise<Made> {
  const { context, prepared, signal } = attempt;
  const { address } = prepared.node;
  const { artifacts } = context.stores;
  const launcher = await context.ports.open('jobLauncher');
  const tools = stepTools(attempt);

  const inputs: Record<string, string> = {};
  for (const [name, reference] of Object.entries(attempt.inputs)) inputs[name] = await inputPath(reference, artifacts);
  // The journal knows of the step before the job exists; the launcher keeps its own record of the launch.
  await context.journal.flush();
  signal.throwIfAborted();
  const job = await launcher.submit({
    id: context.slice.forced.has(address) ? `${attempt.key}-${context.run}` : attempt.key,
    job: step.job,
    params: prepared.own.params as Record<string, never>,
    inputs,
    outputs: Object.keys(step.outputs as object),
  });
  context.emit({ type: 'job-launched', run: context.run, step: address, job: job.id, how: job.how, attempt: job.attempt });

  const error = await followJob(launcher, job, attempt, tools);
  const state = await launcher.state(job.id);
  if (state?.state === 'ended' && state.exit.code === 0) {
    return { artifacts: await storeJobOutputs(step, address, state.outputs, artifacts), counts: tools.counts };
  }
  signal.throwIfAborted();
  throw jobFailure(address, step.job, job.id, state, error);
}

/** Follows a job to its end; told to stop, it tells the job and waits for its checkpoint, unless the job shall go on alone. */
async function followJob(launcher: JobLauncher, job: SubmittedJob, attempt: Attempt, tools: StepTools): Promise<ErrorEvent | null> {
  const { signal, context } = attempt;
  const letGo = new AbortController();
  const onAbort = (): void => {
    if (signal.reason === leaveJobs) letGo.abort();
    else launcher.command(job.id, 'stop').catch(() => letGo.abort());
  };
  let error: ErrorEvent | null = null;
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const event of launcher.follow(job, { afterSeq: 0, signal: letGo.signal })) {
      attempt.beat();
      if (event.type === 'error') error = event;
      tell(event, attempt, tools);
    }
  } catch (thrown) {
    if (!letGo.signal.aborted) throw thrown;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  if (letGo.signal.aborted) throw leftToItself(job.id, context.run);
  return error;
}

/** The phase that was told last. */
const told = new WeakMap<Attempt, string>();

function tell(event: JobEvent, attempt: Attempt, tools: StepTools): void {
  const {
    context: { emit, run },
    prepared,
  } = attempt;
  const step = prepared.node.address;
  switch (event.type) {
    case 'phase':
      // A checkpoint says so itself, and what it interrupted goes on.
      if (event.data.name === 'checkpoint' || event.data.name === told.get(attempt)) return undefined;
      told.set(attempt, event.data.name);
      return emit({ type: 'job-phase', run, step, phase: event.data.name });
    case 'progress':
      return tools.progress(event.data.done, event.data.total ?? undefined, event.data.unit);
    case 'metric':
      return tellMetrics(event.data.points, emit, run, step);
    case 'estimate': {
      const { secondsPerStep, steps, peakBytes } = event.data;
      return tools.log(
        `at most ${span(secondsPerStep * steps)} for ${steps} steps, and ${(peakBytes / 2 ** 30).toFixed(2)} GiB, by two steps on the longest batch`,
      );
    }
    case 'checkpoint':
      return tools.log(`checkpoint at step ${event.data.step}, written in ${event.data.seconds.toFixed(1)} s`);
    case 'warn':
      return tools.log(`${event.data.reason}: ${event.data.message}`);
    case 'devices':
      return tools.log(deviceWords(event.data));
    case 'hello':
      return tools.log(`runs on ${event.data.device} as process ${event.data.pid}`);
    case 'heartbeat':
    case 'result':
    case 'error':
      return undefined;
  }
}

function deviceWords({ devices, waitedSeconds }: (JobEvent & { type: 'devices' })['data']): string {
  const waited = waitedSeconds < 1 ? '' : `, after ${Math.round(waitedSeconds)} s of waiting`;
  return `has ${devices.map(({ uuid, name }) => `${name} (${uuid})`).join(', ')}${waited}`;
}

/** The newest point of each metric, those of one step together. */
function tellMetrics(
  points: (JobEvent & { type: 'metric' })['data']['points'],
  emit: Attempt['context']['emit'],
  run: string,
  step: string,
): void {
  const newest = new Map<number, Record<string, number | string>>();
  for (const [name, series] of Object.entries(points)) {
    const last = series.at(-1);
    if (last) newest.set(last[0], { ...newest.get(last[0]), [name]: last[1] });
  }
  for (const [at, values] of newest) emit({ type: 'job-metric', run, step, at, values });
}

function leftToItself(job: string, run: string): ProblemError {
  return new ProblemError({
    reason: 'job-left',
    message: `Job ${job.slice(0, 12)} of run ${run} goes on under its keeper`,
    hint: 'The next twin run adopts it',
    exit: 1,
  });
}

/** A time in the unit that suits it. */
function span(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
