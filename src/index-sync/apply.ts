import { ProblemError } from '../contracts/problem.ts';
import type { DocumentKey, Version } from '../ports/document-store.ts';
import type { Point, StoredPoint, VectorIndex } from '../ports/vector-index.ts';
import { cachedVectors, embedCached, type EmbeddingPorts, vectorHash } from './embedding-cache.ts';
import type { Ledger, LedgerEntry, LedgerRow } from './ledger.ts';
import type { PreparedPoint } from './points.ts';
import type { RunningTotals } from './totals.ts';

/** A document as it was read, with the points that it should have; none where it is gone. */
export interface PreparedDocument {
  readonly key: DocumentKey;
  readonly version: Version;
  readonly exists: boolean;
  readonly points: readonly PreparedPoint[];
}

/** Places between two effects, where a process may die. */
export type SyncPoint =
  | 'after-embedding'
  | 'after-intent'
  | 'after-upsert'
  | 'after-remove'
  | 'after-applied'
  | 'after-cursor'
  | 'after-alias';

/** What applying needs. */
export interface ApplyContext extends EmbeddingPorts {
  readonly generation: string;
  readonly ledger: Ledger;
  readonly vectorIndex: VectorIndex;
  readonly totals: RunningTotals;
  /** What the index held when a rescan began: then the ledger is not taken at its word. */
  stored?: ReadonlyMap<string, StoredPoint>;
  /** Makes sparse terms of a text. */
  terms(text: string): readonly string[];
  readonly signal?: AbortSignal | undefined;
  count?(name: string, amount: number): void;
  /** Called at each point; tests end the process there. */
  reached?(point: SyncPoint): void | Promise<void>;
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
 * Whatever dies in between, applying the same keys again ends in the same state. Gives back the keys that another writer
 * changed meanwhile; they must be read and applied anew, with every point counted as changed (`dirty`).
 */
export async function applyDocuments(
  documents: readonly PreparedDocument[],
  dirty: boolean,
  context: ApplyContext,
): Promise<readonly DocumentKey[]> {
  const { ledger, vectorIndex, generation, totals, reached } = context;
  const rows = await ledger.get(documents.map(({ key }) => key));
  const wrong = await wrongPoints(documents, context);
  const plans = documents.map((document, index) => planDocument(document, rows[index]!, dirty, wrong));
  const effects = plans.filter(({ changed, stale }) => changed.length > 0 || stale.length > 0);
  const changed = effects.flatMap((plan) => plan.changed);
  const vectors = await embedCached(
    changed.map(({ input }) => input),
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

  const intents = await ledger.replace(
    effects.map(({ document, row, stale }) => ({ row, entry: entryOf(document, 'intent', stale) })),
    'power',
  );
  const conflicts = effects.filter((_, index) => intents[index] === null).map(({ document }) => document.key);
  const intended = effects.flatMap((plan, index) =>
    intents[index] === null ? [] : [{ ...plan, row: { ...plan.row, revision: intents[index]! } }],
  );
  await reached?.('after-intent');

  for (const [tenant, plans] of Map.groupBy(intended, ({ document }) => document.key.tenant)) {
    const points = plans.flatMap((plan) => plan.changed.map((point) => pointOf(point, plan.document.version, vectors, context)));
    for (let start = 0; start < points.length; start += pointsAtOnce) {
      await vectorIndex.upsert(generation, tenant, points.slice(start, start + pointsAtOnce));
    }
  }
  await reached?.('after-upsert');

  await removePoints(intended, ({ stale }) => stale, context);
  await reached?.('after-remove');

  const idle = plans.filter((plan) => isOutdated(plan));
  const settled = [...intended, ...idle];
  const outcomes = await ledger.replace(
    settled.map(({ document, row }) => ({ row, entry: entryOf(document, document.exists ? 'applied' : 'deleted', []) })),
    'process',
  );
  const lost = settled.filter((_, index) => outcomes[index] === null);
  // Another writer has superseded the intent: what was inserted under it may not stay behind.
  await removePoints(lost, ({ changed }) => changed.map(({ id }) => id), context);
  for (const [index, { document, row }] of settled.entries()) {
    if (outcomes[index] === null) continue;
    totals.subtract(row.entry);
    totals.add(entryOf(document, document.exists ? 'applied' : 'deleted', []));
  }
  context.count?.(
    'points-written',
    intended.reduce((sum, plan) => sum + plan.changed.length, 0),
  );
  context.count?.(
    'points-removed',
    intended.reduce((sum, plan) => sum + plan.stale.length, 0),
  );
  await reached?.('after-applied');
  return [...conflicts, ...lost.map(({ document }) => document.key)];
}

/** Points that a rescan did not find in the index, or found with another payload or vector than they should have. */
async function wrongPoints(documents: readonly PreparedDocument[], context: ApplyContext): Promise<ReadonlySet<string>> {
  const { stored } = context;
  if (stored === undefined) return new Set();
  const points = documents.flatMap((document) => document.points);
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

function planDocument(document: PreparedDocument, row: LedgerRow, dirty: boolean, wrong: ReadonlySet<string>): Plan {
  const { entry } = row;
  if (entry && entry.version > document.version) {
    throw new ProblemError({
      reason: 'gap-detected',
      message: `Document ${document.key.id} was read at version ${document.version}, and the index already holds version ${entry.version} of it: the document store has gone back in time`,
      hint: 'Compare the index with the store, then read every document again: twin run feature-pipeline --force sync-index',
      exit: 4,
    });
  }
  // Of an unresolved intent nobody knows which points arrived.
  const known = new Map(entry && !dirty && entry.state !== 'intent' ? entry.points : []);
  const wanted = new Set(document.points.map(({ id }) => id));
  const standing = entry ? [...entry.points.map(([id]) => id), ...entry.removing] : [];
  return {
    document,
    row,
    changed: document.points.filter(({ id, payloadHash }) => known.get(id) !== payloadHash || wrong.has(id)),
    stale: standing.filter((id) => !wanted.has(id)),
  };
}

/** Whether a plan without effects still has something to note: the version that was read, or that the document is there or gone. */
function isOutdated({ document, row: { entry }, changed, stale }: Plan): boolean {
  if (changed.length > 0 || stale.length > 0) return false;
  if (entry === null) return document.exists;
  return entry.version !== document.version || entry.state !== (document.exists ? 'applied' : 'deleted');
}

function entryOf(document: PreparedDocument, state: LedgerEntry['state'], removing: readonly string[]): LedgerEntry {
  const points = document.points.map(({ id, payloadHash }) => [id, payloadHash] as const);
  return { tenant: document.key.tenant, document: document.key.id, version: document.version, state, points, removing };
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
