import type { DocumentKey, DocumentStore } from '../ports/document-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import { noIndex } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { IndexVerified } from '../contracts/results.ts';
import { withoutForgotten } from '../erasure/forgotten.ts';
import { cachedVectors, vectorHash, type EmbeddingPorts } from './embedding-cache.ts';
import { Ledger } from './ledger.ts';
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

/** What should stand in the index under an id, as short as it can be told. */
interface Expected {
  readonly document: string;
  readonly tenant: string;
  readonly payloadHash: string;
  /** Null where the embedding is not in the cache: then vectors cannot be compared. */
  readonly vectorHash: string | null;
  seen: boolean;
  wrong: PointDifference['what'] | null;
  inLedger: boolean;
}

/**
 * Works out from every document which points should be in the index, and compares them with the index and the ledger, both ways.
 * Nothing is embedded or written. Memory grows with the number of points, by their hashes alone.
 */
export async function verifyIndex(
  {
    index,
    signal,
    progress,
    ...maker
  }: { readonly index: string; readonly signal?: AbortSignal; progress?(done: number, total: number): void } & ChunkMaker,
  ports: VerifyPorts,
): Promise<Verification> {
  const generation = await ports.vectorIndex.alias(index);
  if (generation === null) throw new ProblemError(noIndex(index));
  const { expected, documents } = await expectedPoints(withoutForgotten(maker, ports.metadataStore), ports, signal, progress);
  const differences = new Differences();
  const strangers = await compareIndex(generation, expected, ports.vectorIndex, differences, signal);
  await compareLedger(new Ledger(ports.metadataStore, generation), expected, strangers, differences);
  for (const [id, point] of expected) {
    const { document } = point;
    if (!point.seen) differences.add({ kind: 'missing', id, document });
    else if (point.wrong) differences.add({ kind: 'different', id, document, what: point.wrong });
    else if (!point.inLedger) differences.add({ kind: 'different', id, document, what: 'ledger' });
  }
  const result = { type: 'index-verified' as const, documents, points: expected.size, ...differences.counts };
  return { generation, result, examples: differences.examples };
}

class Differences {
  readonly counts = { missing: 0, stale: 0, different: 0 };
  readonly examples: PointDifference[] = [];

  add(difference: PointDifference): void {
    this.counts[difference.kind] += 1;
    if (this.examples.length < named) this.examples.push(difference);
  }
}

async function expectedPoints(
  maker: ChunkMaker,
  ports: VerifyPorts,
  signal: AbortSignal | undefined,
  progress: ((done: number, total: number) => void) | undefined,
): Promise<{ expected: Map<string, Expected>; documents: number }> {
  const expected = new Map<string, Expected>();
  const total = await ports.documentStore.count();
  let documents = 0;
  for (let after: DocumentKey | undefined; ;) {
    signal?.throwIfAborted();
    const page = await ports.documentStore.scan({ limit: documentsAtOnce, ...(after ? { after } : {}) });
    const prepared = await Promise.all(page.map((document) => prepareDocument({ key: document, document, version: 0 }, maker)));
    const vectors = await cachedVectors(
      prepared.flatMap(({ points }) => points.map(({ input }) => input)),
      ports,
    );
    for (const { id, chunk, input, payloadHash } of prepared.flatMap(({ points }) => points)) {
      const vector = vectors.get(input);
      const { document, tenant } = chunk;
      expected.set(id, {
        document,
        tenant,
        payloadHash,
        vectorHash: vector ? vectorHash(vector) : null,
        seen: false,
        wrong: null,
        inLedger: false,
      });
    }
    documents += page.length;
    progress?.(documents, total);
    const last = page.at(-1);
    if (!last || page.length < documentsAtOnce) return { expected, documents };
    after = { tenant: last.tenant, id: last.id };
  }
}

/** Marks expected points as seen and right or wrong; gives back the ids that nobody expects. */
async function compareIndex(
  generation: string,
  expected: Map<string, Expected>,
  vectorIndex: VectorIndex,
  differences: Differences,
  signal: AbortSignal | undefined,
): Promise<Set<string>> {
  const strangers = new Set<string>();
  for (let after = ''; ;) {
    signal?.throwIfAborted();
    const page = await vectorIndex.scroll(generation, after, pointsAtOnce);
    for (const point of page) {
      const wanted = expected.get(point.id);
      if (!wanted) {
        strangers.add(point.id);
        differences.add({ kind: 'stale', id: point.id, document: point.document });
        continue;
      }
      wanted.seen = true;
      if (point.tenant !== wanted.tenant) wanted.wrong = 'tenant';
      else if (point.payloadHash !== wanted.payloadHash) wanted.wrong = 'payload';
      else if (wanted.vectorHash !== null && point.vectorHash !== wanted.vectorHash) wanted.wrong = 'vector';
    }
    const last = page.at(-1);
    if (!last || page.length < pointsAtOnce) return strangers;
    after = last.id;
  }
}

/** Marks expected points that the ledger knows rightly; a point that only the ledger knows is stale. */
async function compareLedger(
  ledger: Ledger,
  expected: Map<string, Expected>,
  strangers: ReadonlySet<string>,
  differences: Differences,
): Promise<void> {
  for await (const entries of ledger.entries()) {
    for (const { document, state, points, removing } of entries) {
      for (const [id, payloadHash] of points) {
        const wanted = expected.get(id);
        if (wanted) wanted.inLedger = state === 'applied' && wanted.payloadHash === payloadHash;
        else if (!strangers.has(id)) differences.add({ kind: 'stale', id, document, what: 'ledger' });
      }
      for (const id of removing)
        if (!expected.has(id) && !strangers.has(id)) differences.add({ kind: 'stale', id, document, what: 'ledger' });
    }
  }
}
