import { type Json, canonicalJson, sha256 } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { MapStep } from './define.ts';
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
  readonly log: (message: string) => void;
  /** Adds to the counters of the step that the rows are for. */
  readonly count: (name: string, amount: number) => void;
  /** Computes every row anew. */
  readonly forced: boolean;
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
  const { step, params, signal, log, cache } = surroundings;
  const ports = await surroundings.ports();
  const keep = async (key: string, mapped: unknown, counts: Readonly<Record<string, number>>): Promise<void> => {
    const result = resultOf(surroundings, mapped, counts);
    results.set(key, result);
    await cache.add(key, result);
  };
  const { run, runBatch } = step as unknown as {
    run?: (context: unknown) => unknown;
    runBatch?: (context: unknown) => Promise<readonly unknown[]>;
  };
  if (runBatch) {
    for (let start = 0; start < missing.length; start += batchRows) {
      signal.throwIfAborted();
      const part = missing.slice(start, start + batchRows);
      const counter = counting();
      const mapped = await runBatch({ rows: part.map(([, row]) => row), params, ports, signal, log, count: counter.count });
      if (mapped.length !== part.length) throw wrongNumber(surroundings, part.length, mapped.length);
      // Nobody knows which row of a batch was counted, so the counts stay with the first.
      for (const [index, [key]] of part.entries()) await keep(key, mapped[index], index === 0 ? counter.counts : {});
    }
    return;
  }
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < missing.length) {
      signal.throwIfAborted();
      const [key, row] = missing[next++]!;
      const counter = counting();
      try {
        await keep(key, await run!({ row, params, ports, signal, log, count: counter.count }), counter.counts);
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
