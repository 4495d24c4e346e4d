import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { locateEnvironment, userCacheFolder } from '../src/workers/environment.ts';
import type { PythonRuntime } from '../src/workers/python-runtime.ts';
import { runtimeOf, workersFolder } from '../tests/support/python-runtime.ts';
import { atMost, type Figure, median } from './figure.ts';
import { measureJobStarts } from './job-start.ts';
import { timeAdoption } from './training/adoption.ts';
import { measureColdStart } from './training/cold-start.ts';
import { measureIngest } from './training/ingest.ts';
import { measureShortJobs } from './training/short-jobs.ts';

type Report = (figure: Figure) => void;

const pairs = 12;
const pairSteps = 200;
const shortJobs = 200;

/** Measures what twin costs a training job: its events, its loop beside a bare script's, its start, its recovery, its estimates, its metrics. */
export async function measure(report: Report): Promise<void> {
  const environment = locateEnvironment({ lockFile: join(workersFolder, 'requirements.lock'), cacheFolder: userCacheFolder() });
  if (environment === null) throw new Error('This benchmark trains: build the Python environment first, `npx twin doctor` says how');
  const runtime = runtimeOf(environment.python, environment);
  const folder = await mkdtemp(join(tmpdir(), 'twin-training-bench-'));
  // What a benchmark takes teaches no estimate of the user's.
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  try {
    await measureEvents(report, runtime, folder);
    await measurePairs(report, runtime, join(folder, 'pairs'));
    await measureStarts(report, runtime, folder);
    const adoption = await timeAdoption(runtime, join(folder, 'adoption'));
    report(atMost('kill -9 of twin to its job adopted', adoption.seconds, 's', 2));
    report(atMost('processes left that should have died', adoption.orphans, 'processes', 0));
    report(atMost('jobs that ran twice', adoption.doubled, 'jobs', 0));
    await measureEstimates(report, runtime, join(folder, 'shapes'));
    for (const figure of await measureIngest(join(folder, 'ingest'))) report(figure);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureEvents(report: Report, runtime: PythonRuntime, folder: string): Promise<void> {
  const [took] = await told<{ readonly event: number; readonly metric: number }>(runtime, 'events.py', [folder]);
  report(atMost('an event that a worker writes', took!.event, 'µs of CPU', 20));
  report(atMost('a metric point, as the worker batches them', took!.metric, 'µs of CPU', 20));
}

interface Arm {
  readonly cpu: number;
}
interface Pair {
  readonly bare: Arm;
  readonly twin: Arm & { readonly keeperCpu: number };
  /** Whether both saw the same losses, bit for bit. */
  readonly equal: boolean;
}

async function measurePairs(report: Report, runtime: PythonRuntime, folder: string): Promise<void> {
  const found = await told<Pair>(runtime, 'pairs.py', [folder, String(pairs), String(pairSteps)]);
  const shares = found.map(({ bare, twin }) => (twin.cpu / bare.cpu - 1) * 100);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1);
  const standardError = Math.sqrt(variance / shares.length);
  const figure = `CPU of a training loop of ${pairSteps} steps over the bare script's, median of ${pairs} pairs`;
  const target = `<= 1 % + 2 standard errors (of ${standardError.toFixed(2)} %)`;
  const [value, peerValue] = [median(found.map(({ twin }) => twin.cpu)), median(found.map(({ bare }) => bare.cpu))];
  const beside = { value: median(shares), unit: '%', peer: null, peerValue: null, ratio: null };
  report({ ...beside, figure, target, holds: median(shares) <= 1 + 2 * standardError });
  report({
    figure: 'the loop',
    value,
    unit: 's of CPU',
    peer: 'bare script',
    peerValue,
    ratio: value / peerValue,
    target: 'told',
    holds: true,
  });
  const keeper = median(found.map(({ twin }) => twin.keeperCpu));
  report({ ...beside, figure: 'the keeper of one such job', value: keeper * 1000, unit: 'ms of CPU', target: 'told', holds: true });
  report(atMost('pairs whose losses differ in any bit', found.filter(({ equal }) => !equal).length, 'pairs', 0));
}

async function measureStarts(report: Report, runtime: PythonRuntime, folder: string): Promise<void> {
  const warm = await measureJobStarts(runtime, 20, 'warm');
  report(atMost('start of a job from a warm parent, until it is heard of', median(warm.map(({ heard }) => heard)), 'ms', 60));
  report(await measureColdStart(runtime, join(folder, 'cold')));
  report(await measureShortJobs(runtime, join(folder, 'short'), shortJobs));
}

interface ShapeFound {
  readonly peakBytes: number;
  readonly estimatedPeakBytes: number;
  readonly seconds: number;
  readonly estimatedSeconds: number;
}

async function measureEstimates(report: Report, runtime: PythonRuntime, folder: string): Promise<void> {
  const found = await told<ShapeFound>(runtime, 'shapes.py', [folder]);
  const within = (share: number, off: (shape: ShapeFound) => number) => found.filter((shape) => Math.abs(off(shape)) <= share).length;
  const memory = within(0.15, ({ peakBytes, estimatedPeakBytes }) => estimatedPeakBytes / peakBytes - 1);
  const time = within(0.25, ({ seconds, estimatedSeconds }) => estimatedSeconds / seconds - 1);
  report(atLeast('shapes whose peak of memory was estimated within 15 %', memory, `of ${found.length}`, 10));
  report(atLeast('shapes whose seconds on one thread were estimated within 25 %', time, `of ${found.length}`, 8));
}

function atLeast(figure: string, value: number, unit: string, limit: number): Figure {
  return { ...atMost(figure, value, unit, limit), target: `>= ${limit} ${unit}`, holds: value >= limit };
}

/** The lines of JSON that one of the Python programs beside this file prints. */
async function told<Line>(runtime: PythonRuntime, program: string, args: readonly string[]): Promise<readonly Line[]> {
  const { python } = await runtime.ready();
  const child = spawn(python, [join(import.meta.dirname, 'training', program), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: Line[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line) as Line);
  const code = await ended;
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
  return lines;
}
