import type { DocumentKey, DocumentStore } from '../ports/document-store.ts';
import type { StoredPoint, VectorIndex } from '../ports/vector-index.ts';
import { sha256 } from '../contracts/digest.ts';
import type { StoredDocument } from '../contracts/document.ts';
import { noIndex } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { IndexVerified } from '../contracts/results.ts';
import { withoutForgotten } from '../erasure/forgotten.ts';
import { bucketOf, Buckets } from './buckets.ts';
import { cachedVectors, vectorHash, type EmbeddingPorts } from './embedding-cache.ts';
import { Ledger, type LedgerEntry } from './ledger.ts';
import { prepareDocument, type ChunkMaker } from './prepare.ts';

/** What verifying reads; the embedder is asked for its identity alone. */
export interface VerifyPorts extends EmbeddingPorts {
  readonly documentStore: DocumentStore;
  readonly vectorIndex: VectorIndex;
}

/** A point that is not as it should be. */
export interface PointDifference {
  readonly kind: 'missing' | 'stale' | 'different';
  readonly id: string;
  readonly document: string;
  /** What differs: `payload`, `vector`, `tenant`, or `ledger` where the index is right and the ledger is not. */
  readonly what?: 'payload' | 'vector' | 'tenant' | 'ledger';
}

/** The counts, and the first differences. */
export interface Verification {
  readonly generation: string;
  readonly result: IndexVerified;
  readonly examples: readonly PointDifference[];
}

/** Documents and points read at once, and differences that are named. */
const documentsAtOnce = 64;
const pointsAtOnce = 1000;
const named = 20;

/** What should stand in the index under an id; a null vector hash where the embedding is not in the cache: then vectors cannot be compared. */
type Expected = readonly [id: string, document: string, tenant: string, payloadHash: string, vectorHash: string | null];
/** What the ledger says of an id; a null hash where it is to be removed, or its document is not settled. */
type Noted = readonly [id: string, document: string, payloadHash: string | null, settled: boolean];

/** What is verified, and how its points are made. */
export interface VerifyOptions extends ChunkMaker {
  readonly index: string;
  /** Look at so many documents only, drawn by hash; the whole index where absent. */
  readonly sample?: number;
  readonly signal?: AbortSignal;
  progress?(done: number, total: number): void;
}

/**
 * Works out from every document which points should be in the index, and compares them with the index and the ledger, both ways.
 * Nothing is embedded, and nothing is written but temporary files: memory stays flat at any number of points.
 */
export async function verifyIndex(options: VerifyOptions, ports: VerifyPorts): Promise<Verification> {
  const { index } = options;
  const generation = await ports.vectorIndex.alias(index);
  if (generation === null) throw new ProblemError(noIndex(index));
  const maker = withoutForgotten(options, ports.metadataStore);
  if (options.sample !== undefined) return await verifySample(generation, options.sample, maker, options, ports);
  await using expected = new Buckets<Expected>();
  await using noted = new Buckets<Noted>();
  let [documents, points] = [0, 0];
  const total = await ports.documentStore.count();
  for await (const page of documentPages(ports.documentStore, options.signal)) {
    for (const entry of await expectedOf(page, maker, ports)) {
      await expected.add(entry);
      points += 1;
    }
    documents += page.length;
    options.progress?.(documents, total);
  }
  for await (const entries of new Ledger(ports.metadataStore, generation).entries())
    for (const entry of entries) for (const note of notesOf(entry)) await noted.add(note);

  const differences = new Differences();
  const names = new Set([...expected.names, ...noted.names]);
  for await (const { bucket, stored } of storedBuckets(names, generation, ports.vectorIndex, options.signal))
    compare(await expected.read(bucket), await noted.read(bucket), stored, differences);
  const result = { type: 'index-verified' as const, documents, points, ...differences.counts };
  return { generation, result, examples: differences.examples };
}

/** Some documents and all that is known of them; a point of which no document knows is not seen. */
async function verifySample(
  generation: string,
  size: number,
  maker: ChunkMaker,
  { signal, progress }: VerifyOptions,
  ports: VerifyPorts,
): Promise<Verification> {
  const keys = await drawn(size, ports.documentStore, signal);
  const ledger = new Ledger(ports.metadataStore, generation);
  const differences = new Differences();
  let [documents, points] = [0, 0];
  for (let start = 0; start < keys.length; start += documentsAtOnce) {
    signal?.throwIfAborted();
    const part = keys.slice(start, start + documentsAtOnce);
    const found = (await ports.documentStore.get(part)).flatMap(({ document }) => document ?? []);
    const expected = await expectedOf(found, maker, ports);
    const notes = (await ledger.get(part)).flatMap(({ entry }) => (entry === null ? [] : notesOf(entry)));
    const ids = [...new Set([...expected, ...notes].map(([id]) => id))];
    compare(expected, notes, await ports.vectorIndex.stored(generation, ids), differences);
    documents += found.length;
    points += expected.length;
    progress?.(documents, keys.length);
  }
  const result = { type: 'index-verified' as const, documents, points, ...differences.counts, sample: documents };
  return { generation, result, examples: differences.examples };
}

/** Documents with the smallest hashes of their keys: a draw that anybody can repeat. */
async function drawn(size: number, store: DocumentStore, signal: AbortSignal | undefined): Promise<readonly DocumentKey[]> {
  let lots: { readonly lot: string; readonly key: DocumentKey }[] = [];
  const smallest = () => lots.toSorted((one, other) => (one.lot < other.lot ? -1 : 1)).slice(0, size);
  for await (const page of documentPages(store, signal)) {
    for (const { tenant, id } of page) lots.push({ lot: sha256(`${tenant} ${id}`), key: { tenant, id } });
    if (lots.length > 4 * size) lots = smallest();
  }
  return smallest().map(({ key }) => key);
}

async function* documentPages(store: DocumentStore, signal: AbortSignal | undefined): AsyncGenerator<readonly StoredDocument[]> {
  for (let after: DocumentKey | undefined; ;) {
    signal?.throwIfAborted();
    const page = await store.scan({ limit: documentsAtOnce, ...(after ? { after } : {}) });
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (!last || page.length < documentsAtOnce) return;
    after = { tenant: last.tenant, id: last.id };
  }
}

async function expectedOf(documents: readonly StoredDocument[], maker: ChunkMaker, ports: VerifyPorts): Promise<readonly Expected[]> {
  const prepared = await Promise.all(documents.map((document) => prepareDocument({ key: document, document, version: 0 }, maker)));
  const points = prepared.flatMap((document) => document.points);
  const vectors = await cachedVectors(
    points.map(({ input }) => input),
    ports,
  );
  return points.map(({ id, chunk, input, payloadHash }) => {
    const vector = vectors.get(input);
    return [id, chunk.document, chunk.tenant, payloadHash, vector ? vectorHash(vector) : null];
  });
}

function notesOf({ document, state, points, removing }: LedgerEntry): readonly Noted[] {
  const standing = points.map(([id, payloadHash]): Noted => [id, document, payloadHash, state === 'applied']);
  return [...standing, ...removing.map((id): Noted => [id, document, null, false])];
}

/** The index in the order of ids, a bucket at a time; buckets in which it holds nothing come as well. */
async function* storedBuckets(
  names: ReadonlySet<string>,
  generation: string,
  vectorIndex: VectorIndex,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ readonly bucket: string; readonly stored: readonly StoredPoint[] }> {
  const left = new Set(names);
  let held: StoredPoint[] = [];
  for (let after: string | null = ''; after !== null;) {
    signal?.throwIfAborted();
    const page: readonly StoredPoint[] = await vectorIndex.scroll(generation, after, pointsAtOnce);
    after = page.length < pointsAtOnce ? null : page.at(-1)!.id;
    for (const point of page) {
      if (held.length > 0 && bucketOf(point.id) !== bucketOf(held[0]!.id)) {
        left.delete(bucketOf(held[0]!.id));
        yield { bucket: bucketOf(held[0]!.id), stored: held };
        held = [];
      }
      held.push(point);
    }
  }
  if (held.length > 0) {
    left.delete(bucketOf(held[0]!.id));
    yield { bucket: bucketOf(held[0]!.id), stored: held };
  }
  for (const bucket of left) yield { bucket, stored: [] };
}

/** Points that should be there, that the ledger knows and that are there, of one bucket, against each other. */
function compare(expected: readonly Expected[], noted: readonly Noted[], stored: readonly StoredPoint[], differences: Differences): void {
  const [there, notes] = [new Map(stored.map((point) => [point.id, point])), new Map(noted.map((note) => [note[0], note]))];
  const wanted = new Set(expected.map(([id]) => id));
  for (const point of expected) {
    const [id, document, , payloadHash] = point;
    const found = there.get(id);
    if (!found) {
      differences.add({ kind: 'missing', id, document });
      continue;
    }
    const [, , noteHash, settled] = notes.get(id) ?? [];
    const what = wrongIn(point, found) ?? (settled && noteHash === payloadHash ? null : 'ledger');
    if (what !== null) differences.add({ kind: 'different', id, document, what });
  }
  for (const { id, document } of stored) if (!wanted.has(id)) differences.add({ kind: 'stale', id, document });
  for (const [id, document] of noted)
    if (!wanted.has(id) && !there.has(id)) differences.add({ kind: 'stale', id, document, what: 'ledger' });
}

function wrongIn([, , tenant, payloadHash, hash]: Expected, found: StoredPoint): 'tenant' | 'payload' | 'vector' | null {
  if (found.tenant !== tenant) return 'tenant';
  if (found.payloadHash !== payloadHash) return 'payload';
  return hash !== null && found.vectorHash !== hash ? 'vector' : null;
}

class Differences {
  readonly counts = { missing: 0, stale: 0, different: 0 };
  readonly examples: PointDifference[] = [];

  add(difference: PointDifference): void {
    this.counts[difference.kind] += 1;
    if (this.examples.length < named) this.examples.push(difference);
  }
}
