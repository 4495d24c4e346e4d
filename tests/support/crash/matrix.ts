import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../../src/contracts/events/run.ts';
import type { RandomSource } from '../../../src/metrics/random.ts';
import { guardEffects, sceneOf, violations } from './invariants.ts';
import { crashRun, immortal } from './run.ts';

/** Node compiles the modules of the child once. */
const compileCache = join(tmpdir(), 'twin-crash-compile-cache');
const child = fileURLToPath(new URL('child.ts', import.meta.url));

/** What a case of the matrix runs with. */
export interface CrashCase {
  readonly folder: string;
  readonly python: string;
  readonly concurrency: number;
  readonly rows: number;
}

/** What one case came to. */
export interface CrashOutcome {
  /** Where the process really died, in order; a point that a run did not come to is not in it. */
  readonly died: readonly string[];
  /** Milliseconds from the start of the run that recovers to its first step. */
  readonly recoveryMs: number;
  readonly violations: readonly string[];
}

/** Every point that a run passes, in order: a dry run in a folder of its own. */
export async function crashPoints(given: CrashCase): Promise<readonly string[]> {
  const { points, signal } = await runChild(given, null);
  if (signal !== null) throw new Error(`The dry run was ended by ${signal}`);
  // One row of a batch in the cache is like the next.
  return points.filter((point) => !/^cache: row of rows (?!(1|8)$)/.test(point));
}

/** Runs until each of the given points in turn, dying there, then to the end; checks everything that must hold. */
export async function crashAt(given: CrashCase, dieAt: readonly string[]): Promise<CrashOutcome> {
  const { folder, python, concurrency, rows } = given;
  await mkdir(folder, { recursive: true });
  const died: string[] = [];
  const found: string[] = [];
  const guarded = async (run: () => Promise<void>): Promise<void> => void found.push(...(await guardEffects(sceneOf(folder), run)));
  for (const point of dieAt) {
    await guarded(async () => {
      if ((await runChild(given, point)).signal === 'SIGKILL') died.push(point);
    });
  }
  let recoveryMs = 0;
  await guarded(async () => {
    const startedAt = performance.now();
    const hear = (event: RunEvent): void => {
      if (event.type === 'step-started' || event.type === 'step-finished') recoveryMs ||= performance.now() - startedAt;
    };
    const end = await crashRun({ folder, python, concurrency, rows, fate: immortal, emit: hear });
    if (end.status !== 'succeeded') found.push(`the run that recovers ended as ${end.status}: ${end.problem?.message ?? ''}`);
  });
  await guarded(async () => {
    const { steps, status } = await crashRun({ folder, python, concurrency, rows, fate: immortal, emit: () => undefined });
    if (status !== 'succeeded' || steps.succeeded > 0) found.push(`a run after that did ${steps.succeeded} steps again`);
  });
  return {
    died,
    recoveryMs,
    violations: [...found, ...(await violations(sceneOf(folder)))].map((line) => `killed at ${dieAt.join(', then ')}: ${line}`),
  };
}

/** A seed's cases: the given points in an order of its own, some recoveries killed at another point themselves. */
export function casesOf(random: RandomSource, points: readonly string[]): readonly (readonly string[])[] {
  return points.map((point) => (random.below(4) === 0 ? [point, points[random.below(points.length)]!] : [point]));
}

/** What a matrix works with; `progress` hears of each case that ends. */
export interface MatrixSurroundings {
  readonly folder: string;
  readonly python: string;
  readonly random: RandomSource;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, all: number) => void;
}

/** Works through cases, two at a time. */
export async function crashMatrix(
  surroundings: MatrixSurroundings,
  choose: (points: readonly string[]) => readonly string[],
): Promise<{
  readonly points: number;
  readonly kills: number;
  readonly slowestRecoveryMs: number;
  readonly violations: readonly string[];
}> {
  const { folder, python, random, signal, progress } = surroundings;
  const settings = { python, concurrency: 1 + random.below(3), rows: 12 + random.below(30) };
  await mkdir(folder, { recursive: true });
  const points = await crashPoints({ ...settings, folder: join(folder, 'dry') });
  const cases = casesOf(random, choose(points));
  const outcomes: CrashOutcome[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases.length) {
      if (signal?.aborted) return;
      const index = next++;
      outcomes.push(await crashAt({ ...settings, folder: join(folder, String(index)) }, cases[index]!));
      progress?.(outcomes.length, cases.length);
    }
  };
  await Promise.all([lane(), lane()]);
  return {
    points: points.length,
    kills: outcomes.reduce((sum, { died }) => sum + died.length, 0),
    slowestRecoveryMs: Math.round(Math.max(...outcomes.map(({ recoveryMs }) => recoveryMs))),
    violations: outcomes.flatMap((outcome) => outcome.violations),
  };
}

async function runChild(given: CrashCase, dieAt: string | null) {
  const spawned = spawn(process.execPath, [child, JSON.stringify({ ...given, dieAt })], {
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(spawned, 'exit');
  const points: string[] = [];
  for await (const line of createInterface({ input: spawned.stdout })) {
    const said = JSON.parse(line) as { readonly type: string; readonly point?: string };
    if (said.type === 'point') points.push(said.point!);
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  if (signal === null && code !== 0) throw new Error(`A run that was to die at ${dieAt ?? 'no point'} failed by itself`);
  return { points, signal };
}
