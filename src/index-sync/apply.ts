import type { Problem } from '../contracts/problem.ts';
import type { Change } from '../ports/change-feed.ts';
import type { DocumentKey, Version } from '../ports/document-store.ts';
import type { Point, VectorIndex } from '../ports/vector-index.ts';
import { cachedVectors, embedCached, type EmbeddingPorts, vectorHash } from './embedding-cache.ts';
import { Ledger, type LedgerEntry, type LedgerRow } from './ledger.ts';
import type { PreparedPoint } from './points.ts';
import { type Sweeps, writerLeaseMs } from './sweeps.ts';
import type { RunningTotals } from './totals.ts';

/** A document as it was read, with the points that it should have; none where it is gone. */
export interface PreparedDocument {
  readonly key: DocumentKey;
  readonly version: Version;
  readonly exists: boolean;
  readonly points: readonly PreparedPoint[];
  /** It cannot be brought into the index as it is. */
  readonly problem?: Problem;
}

/** Places between two effects, where a process may die. */
export type SyncPoint =
  | 'before-batch'
  | 'after-read'
  | 'after-embedding'
  | 'after-intent'
  | 'after-upsert'
  | 'after-remove'
  | 'after-applied'
  | 'after-batch'
  | 'before-cursor'
  | 'after-cursor'
  | 'before-alias'
  | 'after-embedder-alias'
  | 'after-alias'
  | 'after-take-over';

/** What applying needs. */
export interface ApplyContext extends EmbeddingPorts {
  readonly generation: string;
  readonly ledger: Ledger;
  readonly sweeps: Sweeps;
  readonly vectorIndex: VectorIndex;
  readonly totals: RunningTotals;
  /** The ledger is not taken at its word: what the index itself holds of each document is looked at. */
  readonly audit?: boolean;
  /** Makes sparse terms of a text. */
  terms(text: string): readonly string[];
  readonly signal?: AbortSignal | undefined;
  count?(name: string, amount: number): void;
  /** Called at each point; tests end the process there. */
  reached?(point: SyncPoint): void | Promise<void>;
}

/** What became of documents that were to be applied. */
export interface Applied {
  readonly settled: readonly DocumentKey[];
  /** Another writer was at the same documents: they must be read and applied anew. */
  readonly again: readonly DocumentKey[];
  /** The ledger holds a later version than was read. */
  readonly behind: readonly { readonly key: DocumentKey; readonly read: Version; readonly held: Version }[];
  /** Documents that no index can hold as they are. */
  readonly dead: readonly { readonly key: DocumentKey; readonly version: Version; readonly problem: Problem }[];
}

/** Points written to the index in one call. */
const pointsAtOnce = 128;

interface Plan {
  readonly document: PreparedDocument;
  readonly row: LedgerRow;
  readonly changed: readonly PreparedPoint[];
  readonly stale: readonly string[];
}

/**
 * Brings the index in step with documents of distinct keys: intent on disk, changed points written, stale ones removed, applied.
 * Whatever dies in between, applying the same keys again ends in the same state; any number of writers may be at it.
 */
export async function applyDocuments(
  documents: readonly PreparedDocument[],
  context: ApplyContext,
  changes: ReadonlyMap<string, Change>,
): Promise<Applied> {
  const { ledger, sweeps, vectorIndex, generation, totals, reached } = context;
  const rows = await ledger.get(documents.map(({ key }) => key));
  for (const { key, entry } of rows) totals.meet(entry, changes.get(key)?.version ?? 0);
  const wrong = await wrongPoints(documents, context);
  const read = documents.map((document, index) => ({ document, row: rows[index]! }));
  const isBehind = ({ document, row }: (typeof read)[number]) => row.entry !== null && row.entry.version > document.version;
  const behind = read.filter(isBehind).map(({ document: { key, version }, row }) => ({ key, read: version, held: row.entry!.version }));
  const planned = read.filter((one) => !isBehind(one)).map(({ document, row }) => planDocument(document, row, wrong));
  const vectors = await embedCached(
    planned.flatMap(({ changed }) => changed.map(({ input }) => input)),
    context,
    {
      signal: context.signal,
      embedded(made, cached) {
        context.count?.('embedded', made);
        context.count?.('embeddings-cached', cached);
      },
    },
  );
  context.signal?.throwIfAborted();
  await reached?.('after-embedding');

  const dead: { key: DocumentKey; version: Version; problem: Problem }[] = [];
  const plans = planned.filter(({ document: { key, version }, changed }) => {
    const problem = changed
      .map(({ id, input }) => brokenVector(vectors.get(input)!, context.embedder.dimension, `point ${id} of document ${key.id}`))
      .find((found) => found !== null);
    if (problem) dead.push({ key, version, problem });
    return !problem;
  });
  const effects = plans.filter(({ changed, stale }) => changed.length > 0 || stale.length > 0);
  const began = performance.now();
  const intents = await ledger.replace(
    effects.map(({ document, row, stale }) => ({ row, entry: entryOf(document, 'intent', stale, totals.writer) })),
    'power',
  );
  const again = effects.filter((_, index) => intents[index] === null).map(({ document }) => document.key);
  const intended = effects.flatMap((plan, index) =>
    intents[index] === null ? [] : [{ ...plan, superseded: plan.row.entry, row: { ...plan.row, revision: intents[index]! } }],
  );
  // The totals follow the ledger write by write: what is intended is not applied any more.
  for (const { superseded } of intended) totals.subtract(superseded);
  // Whose intent was superseded may still be about to write.
  await sweeps.add(
    intended.flatMap(({ superseded, document: { key, version }, row }) =>
      superseded?.state === 'intent' ? [{ key, revision: row.revision, ids: idsOf(superseded), below: version }] : [],
    ),
  );
  await reached?.('after-intent');

  for (const [tenant, plans] of Map.groupBy(intended, ({ document }) => document.key.tenant)) {
    const points = plans.flatMap((plan) => plan.changed.map((point) => pointOf(point, plan.document.version, vectors, context)));
    for (let start = 0; start < points.length; start += pointsAtOnce) {
      // A writer that slept is no writer any more: whoever superseded it has swept, or will.
      if (performance.now() - began > writerLeaseMs) return { settled: [], again: documents.map(({ key }) => key), behind: [], dead };
      await vectorIndex.upsert(generation, tenant, points.slice(start, start + pointsAtOnce));
    }
  }
  await reached?.('after-upsert');

  await removePoints(intended, ({ stale }) => stale, context);
  await reached?.('after-remove');

  const finished = [...intended, ...plans.filter((plan) => isOutdated(plan))];
  const outcomes = await ledger.replace(
    finished.map(({ document, row }) => ({ row, entry: entryOf(document, document.exists ? 'applied' : 'deleted', [], totals.writer) })),
    'process',
  );
  const lost = finished.filter((_, index) => outcomes[index] === null);
  await removeInserted(lost, context);
  for (const [index, { document, row }] of finished.entries()) {
    if (outcomes[index] === null) continue;
    if (index >= intended.length) totals.subtract(row.entry);
    totals.add(entryOf(document, document.exists ? 'applied' : 'deleted', [], totals.writer));
  }
  if (again.length + lost.length > 0) totals.doubt();
  context.count?.(
    'points-written',
    intended.reduce((sum, plan) => sum + plan.changed.length, 0),
  );
  context.count?.(
    'points-removed',
    intended.reduce((sum, plan) => sum + plan.stale.length, 0),
  );
  await reached?.('after-applied');
  const unsettled = new Set([...again, ...lost.map(({ document }) => document.key)].map(Ledger.key));
  const settled = plans.map(({ document }) => document.key).filter((key) => !unsettled.has(Ledger.key(key)));
  return { settled, again: [...again, ...lost.map(({ document }) => document.key)], behind, dead };
}

/** What makes a vector one that no index can hold, null where nothing does. */
function brokenVector(vector: Float32Array, dimension: number, subject: string): Problem | null {
  const hint = 'Look at the text that was embedded, and at the log of the embedder; then: twin dlq retry';
  if (vector.length !== dimension) {
    const message = `The embedder gave a vector of another dimension for ${subject}`;
    return { reason: 'vector-dimension', message, expected: `${dimension} values`, found: `${vector.length} values`, hint, exit: 1 };
  }
  const at = vector.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return null;
  const message = `The embedder gave a vector with a value that is no number for ${subject}`;
  return { reason: 'vector-not-finite', message, expected: 'finite values', found: `${vector[at]} at position ${at}`, hint, exit: 1 };
}

/** Removes what was inserted under an intent that another writer has superseded, but for what that writer wants there. */
async function removeInserted(lost: readonly Plan[], context: ApplyContext): Promise<void> {
  if (lost.length === 0) return;
  const winners = await context.ledger.get(lost.map(({ document }) => document.key));
  const wanted = new Set(winners.flatMap(({ entry }) => entry?.points.map(([id]) => id) ?? []));
  await removePoints(lost, ({ changed }) => changed.map(({ id }) => id).filter((id) => !wanted.has(id)), context);
}

function idsOf({ points, removing }: LedgerEntry): string[] {
  return [...points.map(([id]) => id), ...removing];
}

/** Points that an audit does not find in the index, or finds with another payload or vector than they should have. */
async function wrongPoints(documents: readonly PreparedDocument[], context: ApplyContext): Promise<ReadonlySet<string>> {
  if (context.audit !== true) return new Set();
  const points = documents.flatMap((document) => document.points);
  const ids = points.map(({ id }) => id);
  const stored = new Map((await context.vectorIndex.stored(context.generation, ids)).map((point) => [point.id, point]));
  const vectors = await cachedVectors(
    points.map(({ input }) => input),
    context,
  );
  const isWrong = ({ id, input, payloadHash }: PreparedPoint) => {
    const [found, vector] = [stored.get(id), vectors.get(input)];
    return found?.payloadHash !== payloadHash || (vector !== undefined && found.vectorHash !== vectorHash(vector));
  };
  return new Set(points.filter(isWrong).map(({ id }) => id));
}

function planDocument(document: PreparedDocument, row: LedgerRow, wrong: ReadonlySet<string>): Plan {
  const { entry } = row;
  // Of an unresolved intent nobody knows which points arrived.
  const known = new Map(entry && entry.state !== 'intent' ? entry.points : []);
  const wanted = new Set(document.points.map(({ id }) => id));
  return {
    document,
    row,
    changed: document.points.filter(({ id, payloadHash }) => known.get(id) !== payloadHash || wrong.has(id)),
    stale: entry ? idsOf(entry).filter((id) => !wanted.has(id)) : [],
  };
}

/** Whether a plan without effects still has something to note: the version that was read, or that the document is there or gone. */
function isOutdated({ document, row: { entry }, changed, stale }: Plan): boolean {
  if (changed.length > 0 || stale.length > 0) return false;
  // Of a document that never was, a tombstone keeps out a writer that read it before it went.
  if (entry === null) return true;
  return entry.version !== document.version || entry.state !== (document.exists ? 'applied' : 'deleted');
}

function entryOf(document: PreparedDocument, state: LedgerEntry['state'], removing: readonly string[], writer: string): LedgerEntry {
  const points = document.points.map(({ id, payloadHash }) => [id, payloadHash] as const);
  return { tenant: document.key.tenant, document: document.key.id, version: document.version, state, points, removing, writer };
}

function pointOf(
  { id, chunk, input, payloadHash }: PreparedPoint,
  version: Version,
  vectors: Map<string, Float32Array>,
  context: ApplyContext,
): Point {
  return { id, version, vector: vectors.get(input)!, terms: context.terms(input), payload: chunk, payloadHash };
}

async function removePoints(
  plans: readonly Plan[],
  ids: (plan: Plan) => readonly string[],
  { vectorIndex, generation }: ApplyContext,
): Promise<void> {
  const removals = plans.filter((plan) => ids(plan).length > 0);
  for (const same of Map.groupBy(removals, ({ document }) => `${document.version} ${document.key.tenant}`).values()) {
    const { key, version } = same[0]!.document;
    await vectorIndex.remove(generation, key.tenant, same.flatMap(ids), version);
  }
}
