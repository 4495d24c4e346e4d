import type { Json } from '../contracts/digest.ts';
import type { Freed, GarbageCollected, GarbageKind } from '../contracts/garbage.ts';
import type { StepResult } from '../contracts/run.ts';
import { condemnedTable, producerKey, producersTable, resultsTable } from '../history/tables.ts';
import type { StoredEntry } from '../ports/artifact-store.ts';
import type { RowWrite } from '../ports/metadata-store.ts';
import { type LiveRun, type Marks, type Retention, liveRuns, markNeeded, rowsOf } from './garbage-marks.ts';
import { acquireLease, type LeaseClient } from './locks.ts';
import { rowTablesTable } from './row-cache.ts';
import type { Stores } from './run-context.ts';

/** What a collection works on. */
export interface GarbageRequest {
  readonly stores: Stores;
  readonly leases: LeaseClient;
  readonly retention: Retention;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** What was found and done in the stores, and the marks for whoever cleans up files. */
export interface StoreGarbage extends Pick<GarbageCollected, 'freed' | 'kept' | 'deferred'> {
  readonly marks: Marks;
  readonly live: readonly LiveRun[];
}

/** Content that nothing has ever named is what a killed process left, or what a living one has put and will name in a moment. */
const unnamedKeptMs = 60 * 60 * 1000;
/** Content is named so soon after it was put, by the clocks of two machines. */
const namedWithinMs = 60_000;
/** Rows that expired so long ago have no holder any more who might still know their revision. */
const expiredKeptMs = 7 * 24 * 60 * 60 * 1000;
const rowsAtOnce = 200;

/**
 * Frees what nothing needs, in an order that a crash at any place leaves harmless: results first, so that no run can take them for a hit any more,
 * then the content that only they named. Content that a running run may have looked up before its result went is left for a later collection.
 */
export async function collectStores(request: GarbageRequest): Promise<StoreGarbage> {
  const { stores, leases, dryRun, signal } = request;
  const { metadata, artifacts } = stores;
  const lease = await acquireLease(leases, 'gc/state', { signal, noWait: true, onWait: () => undefined });
  try {
    const marks = await markNeeded(metadata, artifacts, request.retention);
    const freed = new Map<GarbageKind, Freed>();
    const free = (kind: GarbageKind, count: number, bytes: number): void => {
      const before = freed.get(kind) ?? { kind, count: 0, bytes: 0 };
      freed.set(kind, { kind, count: before.count + count, bytes: before.bytes + bytes });
    };
    const cached = await sweepRowCache(request, marks, free);
    await sweepResults(request, marks, free);
    const swept = await sweepContent(request, { ...marks, content: new Set([...marks.content, ...cached]) }, free);
    const before = Math.min((await metadata.now()) - unnamedKeptMs, ...swept.live.map(({ since }) => since));
    for await (const { name, bytes, changedAt } of artifacts.leftovers()) {
      if (changedAt >= before) continue;
      if (!dryRun) await artifacts.removeLeftover(name);
      free('staging', 1, bytes);
    }
    for (const store of [metadata, stores.cache]) {
      const { rows, bytes } = await store.purge((await store.now()) - expiredKeptMs, { dryRun });
      if (rows > 0) free('expired-rows', rows, bytes);
    }
    return { ...swept, freed: [...freed.values()], kept: { runs: marks.kept.length, ...swept.kept }, marks };
  } finally {
    await lease.release();
  }
}

type Free = (kind: GarbageKind, count: number, bytes: number) => void;

/** Deletes results that nobody needs, and keeps of those that lineage needs the row alone. */
async function sweepResults({ stores: { metadata }, dryRun }: GarbageRequest, marks: Marks, free: Free): Promise<void> {
  let results: RowWrite[] = [];
  let producers: RowWrite[] = [];
  const write = async (): Promise<void> => {
    // The table that leads to a result goes after it: a producer without a result says nothing.
    if (!dryRun && results.length > 0) await metadata.putMany(resultsTable, results);
    if (!dryRun && producers.length > 0) await metadata.putMany(producersTable, producers);
    [results, producers] = [[], []];
  };
  for await (const { key, revision, row } of rowsOf(metadata, resultsTable)) {
    if (marks.results.has(key)) continue;
    const result = row as unknown as StepResult;
    if (marks.past.has(key)) {
      if (result.collected !== true)
        results.push({ key, expectedRevision: revision, row: { ...result, collected: true } as unknown as Json });
    } else {
      free('results', 1, JSON.stringify(row).length);
      results.push({ key, expectedRevision: revision, row: null });
      for (const { digest } of Object.values(result.artifacts)) {
        producers.push({ key: producerKey(digest, key), expectedRevision: null, row: null });
      }
    }
    if (results.length >= rowsAtOnce) await write();
  }
  await write();
}

/** Empties the row caches of map steps that no kept result knows, while nothing runs; the digests of content that the others need. */
async function sweepRowCache(
  { stores: { metadata, cache }, dryRun }: GarbageRequest,
  marks: Marks,
  free: Free,
): Promise<readonly string[]> {
  const needed: string[] = [];
  const busy = (await liveRuns(metadata)).length > 0;
  for await (const { key: table } of rowsOf(cache, rowTablesTable)) {
    let [count, bytes] = [0, 0];
    const stored: string[] = [];
    for await (const { key, row } of rowsOf(cache, table)) {
      count++;
      bytes += key.length + JSON.stringify(row).length;
      if (typeof row === 'object' && row !== null && 'stored' in row && typeof row.stored === 'string') stored.push(row.stored);
    }
    if (busy || marks.rowTables.has(table)) {
      needed.push(...stored);
      continue;
    }
    free('row-cache', count, bytes);
    if (dryRun) continue;
    await cache.clear(table);
    await cache.putMany(rowTablesTable, [{ key: table, expectedRevision: null, row: null }]);
  }
  return needed;
}

interface Condemned {
  readonly at: number;
}

/** Removes content that nobody needs and no running run can have looked up. */
async function sweepContent(
  { stores: { metadata, artifacts }, dryRun }: GarbageRequest,
  marks: Marks,
  free: Free,
): Promise<
  Pick<GarbageCollected, 'deferred'> & {
    readonly kept: { readonly artifacts: number; readonly bytes: number };
    readonly live: readonly LiveRun[];
  }
> {
  // Results went before this moment: a run that began later cannot have found them.
  const now = await metadata.now();
  const live = await liveRuns(metadata);
  const oldest = Math.min(Infinity, ...live.map(({ since }) => since));
  const condemned = new Map<string, number>();
  for await (const { key, row } of rowsOf(metadata, condemnedTable)) condemned.set(key, (row as unknown as Condemned).at);
  const named = await namedContent(metadata, marks);
  const kept = { artifacts: 0, bytes: 0 };
  const deferred = { count: 0, bytes: 0 };
  const pardoned = new Set(condemned.keys());
  for await (const entry of artifacts.list()) {
    const name = `${entry.kind}/${entry.digest}`;
    // Put again since it was named or condemned: somebody may be about to name it.
    const known = Math.max(named.get(entry.digest) ?? -Infinity, condemned.get(name) ?? -Infinity);
    const putBefore = entry.putAt <= known + namedWithinMs ? now : now - unnamedKeptMs;
    if (marks.content.has(entry.digest) || entry.putAt >= putBefore) {
      kept.artifacts++;
      kept.bytes += entry.bytes;
      continue;
    }
    pardoned.delete(name);
    const at = condemned.get(name) ?? now;
    if (at >= oldest) {
      deferred.count++;
      deferred.bytes += entry.bytes;
      if (!dryRun && !condemned.has(name)) await metadata.putMany(condemnedTable, [condemn(entry, at)]);
      continue;
    }
    if (dryRun || (await artifacts.remove(entry.kind, entry.digest, { putBefore: Math.min(putBefore, oldest) })))
      free('artifacts', 1, entry.bytes);
    if (!dryRun && condemned.has(name)) await metadata.putMany(condemnedTable, [{ key: name, expectedRevision: null, row: null }]);
  }
  // What is needed again, or is gone, is condemned no longer.
  if (!dryRun && pardoned.size > 0) {
    await metadata.putMany(
      condemnedTable,
      [...pardoned].map((key) => ({ key, expectedRevision: null, row: null })),
    );
  }
  return { kept, live, deferred: { ...deferred, runs: deferred.count > 0 ? live.map(({ run }) => run) : [] } };
}

/** Digests that runs which are no longer kept have named, and when last: they are garbage at once, however young. */
async function namedContent(metadata: Stores['metadata'], { expired }: Marks): Promise<ReadonlyMap<string, number>> {
  const named = new Map<string, number>();
  for (const { run } of expired) {
    for (const { at, data } of await metadata.read(`run/${run}`, 0)) {
      const { artifacts } = data as { readonly artifacts?: Readonly<Record<string, { readonly digest: string }>> };
      for (const { digest } of Object.values(artifacts ?? {})) named.set(digest, Math.max(at, named.get(digest) ?? 0));
    }
  }
  return named;
}

function condemn({ kind, digest }: StoredEntry, at: number): RowWrite {
  return { key: `${kind}/${digest}`, expectedRevision: null, row: { at } satisfies Condemned };
}
