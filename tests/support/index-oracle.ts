import { expect } from 'vitest';
import { vectorHash } from '../../src/index-sync/embedding-cache.ts';
import { Ledger } from '../../src/index-sync/ledger.ts';
import { prepareDocument, type ChunkMaker } from '../../src/index-sync/prepare.ts';
import { readIndexState } from '../../src/index-sync/read-index-state.ts';
import type { StoredDocument } from '../../src/contracts/document.ts';
import type { Embedder } from '../../src/ports/embedder.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import type { VectorIndex } from '../../src/ports/vector-index.ts';

/** What the oracle looks at: the documents as they are in the source, an embedder that gives equal vectors to equal text, the index and its journal. */
export interface OracleSubject {
  readonly index: string;
  readonly documents: readonly StoredDocument[];
  readonly maker: ChunkMaker;
  readonly embedder: Embedder;
  readonly vectorIndex: VectorIndex;
  readonly metadataStore: MetadataStore;
  /** Documents in the dead letters: what stands in the index for them is nobody's promise. */
  readonly dead?: ReadonlySet<string>;
}

const pointsAtOnce = 1000;

/**
 * Everything in which an index differs from its source, a line each: points by id, payload hash and vector hash in both directions,
 * and the ledger, the alias and the totals against the points. Works all of it out anew, so that no code under test vouches for itself.
 */
export async function oracleDifferences(subject: OracleSubject): Promise<readonly string[]> {
  const { index, vectorIndex, metadataStore, dead = new Set() } = subject;
  const generation = await vectorIndex.alias(index);
  if (generation === null) return [`the alias ${index} names nothing`];
  const wanted = await wantedPoints(subject);
  const differences: string[] = [];

  const held = new Map<string, string>();
  for (let after = ''; ;) {
    const page = await vectorIndex.scroll(generation, after, pointsAtOnce);
    for (const point of page) {
      if (dead.has(point.document)) continue;
      held.set(point.id, `${point.tenant} ${point.document} ${point.payloadHash} ${point.vectorHash}`);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pointsAtOnce) break;
    after = last.id;
  }
  for (const [id, { told }] of wanted) {
    if (!held.has(id)) differences.push(`missing: point ${id} (${told})`);
    else if (held.get(id) !== told) differences.push(`different: point ${id} is ${held.get(id)} and should be ${told}`);
  }
  for (const [id, told] of held) if (!wanted.has(id)) differences.push(`stale: point ${id} (${told})`);

  const noted = new Map<string, string>();
  for await (const entries of new Ledger(metadataStore, generation).entries()) {
    for (const { document, state, points, removing } of entries) {
      if (dead.has(document)) continue;
      if (state === 'intent') differences.push(`ledger: the intent of ${document} was never resolved`);
      if (state === 'deleted' && points.length > 0) differences.push(`ledger: the tombstone of ${document} names points`);
      if (removing.length > 0) differences.push(`ledger: ${document} still has ${removing.length} points to remove`);
      for (const [id, payloadHash] of points) noted.set(id, payloadHash);
    }
  }
  for (const [id, { payloadHash }] of wanted)
    if (noted.get(id) !== payloadHash) differences.push(`ledger: point ${id} has payload ${noted.get(id)} and should have ${payloadHash}`);
  for (const id of noted.keys()) if (!wanted.has(id)) differences.push(`ledger: point ${id} should not be known`);

  if (dead.size === 0) {
    const state = await readIndexState(index, { metadataStore, vectorIndex });
    if (state?.generation !== generation) differences.push(`alias: ${generation}, and the state is of ${state?.generation}`);
    if (state?.points !== wanted.size) differences.push(`totals: ${state?.points} points, and there should be ${wanted.size}`);
    if (state?.documents !== subject.documents.length)
      differences.push(`totals: ${state?.documents} documents, and there should be ${subject.documents.length}`);
  }
  return differences;
}

/** Fails with every difference. */
export async function expectIndexEqualsSource(subject: OracleSubject): Promise<void> {
  expect(await oracleDifferences(subject)).toEqual([]);
}

async function wantedPoints({ documents, maker, embedder, dead }: OracleSubject) {
  const wanted = new Map<string, { readonly payloadHash: string; readonly told: string }>();
  for (const document of documents) {
    if (dead?.has(document.id)) continue;
    const { points } = await prepareDocument({ key: document, document, version: 0 }, maker);
    const vectors = await embedder.embed(points.map(({ input }) => input));
    for (const [at, { id, chunk, payloadHash }] of points.entries())
      wanted.set(id, { payloadHash, told: `${chunk.tenant} ${chunk.document} ${payloadHash} ${vectorHash(vectors[at]!)}` });
  }
  return wanted;
}
