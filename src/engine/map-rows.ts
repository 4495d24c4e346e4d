import { setTimeout as delay } from 'node:timers/promises';
import { type Json, canonicalJson, sha256 } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { MapStep } from './define.ts';
import { classify, problemOf } from './failure.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RowCache, RowResult } from './row-cache.ts';
import type { Drop } from './values.ts';

/** Rows of an asynchronous map step that are under way at once. */
const rowsAtOnce = 8;
/** Rows that `runBatch` is given at once. */
const batchRows = 64;

/** What a map step needs to work on rows. */
export interface MapSurroundings {
  readonly address: string;
  readonly step: MapStep;
  readonly params: unknown;
  readonly cache: RowCache;
  /** Opens the step's ports; called only when a row has to be computed. */
  readonly ports: () => Promise<Readonly<Record<string, unknown>>>;
  readonly signal: AbortSignal;
  /** Gives a sign of life for each row. */
  readonly beat: () => void;
  /** Waits for a turn at the rate of a pool, before a row is computed. */
  readonly throttle: (() => Promise<void>) | null;
  readonly log: (message: string) => void;
  /** Adds to the counters of the step that the rows are for. */
  readonly count: (name: string, amount: number) => void;
  /** Computes every row anew. */
  readonly forced: boolean;
  /** A row that fails becomes a result that says so, instead of failing the step. */
  readonly tolerant?: boolean;
}

/** Maps rows through the row cache: results in the order of the rows, whatever was cached, dropped or computed. Counts and drops are replayed on hits. */
export async function mapRows(surroundings: MapSurroundings, rows: readonly unknown[]): Promise<readonly RowResult[]> {
  const { cache, count, forced } = surroundings;
  const keys = rows.map((row) => sha256(canonicalJson(row)));
  const results = new Map<string, RowResult>();
  const distinct = [...new Set(keys)];
  if (!forced) {
    for (const [index, found] of (await cache.find(distinct)).entries()) if (found) results.set(distinct[index]!, found);
  }
  const missing = new Map<string, unknown>();
  for (const [index, key] of keys.entries()) if (!results.has(key)) missing.set(key, rows[index]);
  if (missing.size > 0) {
    try {
      await compute(surroundings, [...missing], results);
    } finally {
      // What was computed before a failure is not computed again.
      await cache.commit();
    }
  }
  count('rows computed', missing.size);
  count('rows reused', rows.length - missing.size);
  return keys.map((key) => {
    const result = results.get(key)!;
    if (result.dropped !== undefined) count(`dropped: ${result.dropped}`, 1);
    if (result.failed) count(`failed: ${result.failed.reason}`, 1);
    for (const [name, amount] of Object.entries(result.counts ?? {})) count(name, amount);
    return result;
  });
}

/** One row at a time, for a step that drives a map step itself; calls made together are mapped together. */
export function rowByRow(surroundings: MapSurroundings): (row: unknown) => Promise<readonly Json[]> {
  let waiting: { row: unknown; resolve: (rows: readonly Json[]) => void; reject: (error: unknown) => void }[] = [];
  const drain = async (): Promise<void> => {
    const calls = waiting;
    waiting = [];
    try {
      const results = await mapRows(
        surroundings,
        calls.map((call) => call.row),
      );
      for (const [index, call] of calls.entries()) call.resolve(results[index]!.rows);
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  };
  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      if (waiting.length === 1) queueMicrotask(() => void drain());
    });
}

type KeyedRow = readonly [key: string, row: unknown];

async function compute(surroundings: MapSurroundings, missing: readonly KeyedRow[], results: Map<string, RowResult>): Promise<void> {
  const { step, params, signal, log, cache, throttle, tolerant = false } = surroundings;
  const ports = await surroundings.ports();
  const keep = async (key: string, result: RowResult): Promise<void> => {
    results.set(key, result);
    surroundings.beat();
    if (!result.failed) await cache.add(key, result);
  };
  const { run, runBatch, runGroup } = step as unknown as {
    run?: (context: unknown) => unknown;
    runBatch?: (context: unknown) => Promise<readonly unknown[]>;
    runGroup?: (context: unknown) => unknown;
  };
  const mapOne = async (row: unknown): Promise<RowResult> => {
    await throttle?.();
    const counter = counting();
    const tools = { params, ports, signal, log, count: counter.count };
    if (runBatch) return resultOf(surroundings, (await runBatch({ rows: [row], ...tools }))[0], counter.counts);
    const mapped = await (runGroup ? runGroup({ ...(row as RowGroup), ...tools }) : run!({ row, ...tools }));
    return resultOf(surroundings, mapped, counter.counts);
  };
  const mapBatch = async (part: readonly KeyedRow[]): Promise<void> => {
    await throttle?.();
    const counter = counting();
    const mapped = await runBatch!({ rows: part.map(([, row]) => row), params, ports, signal, log, count: counter.count });
    if (mapped.length !== part.length) throw wrongNumber(surroundings, part.length, mapped.length);
    const made = mapped.map((each, index) => resultOf(surroundings, each, index === 0 ? counter.counts : {}));
    // Nobody knows which row of a batch was counted, so the counts stay with the first.
    for (const [index, [key]] of part.entries()) await keep(key, made[index]!);
  };
  if (runBatch) {
    for (let start = 0; start < missing.length; start += batchRows) {
      signal.throwIfAborted();
      const part = missing.slice(start, start + batchRows);
      try {
        await mapBatch(part);
      } catch (error) {
        if (!tolerant || signal.aborted) throw error;
        // One of them is at fault: each alone says which.
        for (const [key, row] of part) await keep(key, await tolerantly(surroundings, () => mapOne(row)));
      }
    }
    return;
  }
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < missing.length) {
      signal.throwIfAborted();
      const [key, row] = missing[next++]!;
      try {
        await keep(key, await (tolerant ? tolerantly(surroundings, () => mapOne(row)) : mapOne(row)));
      } catch (error) {
        // The other lanes finish the row that they are at and take no further one.
        next = missing.length;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(rowsAtOnce, missing.length) }, lane));
  const failed = lanes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Rows that are mapped together, in place of a row. */
export interface RowGroup {
  readonly group: string;
  readonly rows: readonly unknown[];
}

/** The result of a row, again where its surroundings failed, or the problem that stays in its way. */
async function tolerantly({ signal, step, address }: MapSurroundings, map: () => Promise<RowResult>): Promise<RowResult> {
  const budget = new RetryBudget(step.retry);
  for (;;) {
    try {
      return await map();
    } catch (error) {
      signal.throwIfAborted();
      const delayMs = budget.afterFailure(classify(error));
      if (delayMs === null) return { rows: [], failed: problemOf(error, address) };
      await delay(delayMs, undefined, { signal });
    }
  }
}

function counting() {
  const counts: Record<string, number> = {};
  return { counts, count: (name: string, amount = 1): void => void (counts[name] = (counts[name] ?? 0) + amount) };
}

function resultOf(surroundings: MapSurroundings, mapped: unknown, counts: Readonly<Record<string, number>>): RowResult {
  const counted = Object.keys(counts).length > 0 ? { counts } : {};
  if (isDrop(mapped)) return { rows: [], dropped: mapped.dropped, ...counted };
  const rows = Array.isArray(mapped) ? mapped : [mapped];
  if (rows.length === 0) throw problem(surroundings, 'no-rows', 'made an empty array of a row', 'at least one row, or drop(row, reason)');
  for (const row of rows) {
    const checked = surroundings.step.output.schema.safeParse(row);
    if (checked.success) continue;
    const issue = checked.error.issues[0]!;
    throw problem(
      surroundings,
      'invalid-output',
      `made a row that does not fit its schema at ${issue.path.map(String).join('.')}`,
      issue.message,
    );
  }
  return { rows: rows as Json[], ...counted };
}

function isDrop(value: unknown): value is Drop {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dropped' in value &&
    typeof value.dropped === 'string' &&
    Object.keys(value).length === 1
  );
}

function wrongNumber(surroundings: MapSurroundings, rows: number, results: number): ProblemError {
  return problem(surroundings, 'wrong-number-of-results', `made ${results} results of ${rows} rows`, 'one result a row');
}

function problem(surroundings: MapSurroundings, reason: string, what: string, expected: string): ProblemError {
  return new ProblemError({
    reason,
    message: `Map step ${surroundings.step.name} ${what}`,
    where: surroundings.address,
    expected,
    exit: 1,
  });
}
