import type { Chunk, CleanDocument, RevisedDocument } from '../contracts/document.ts';
import type { DocumentKey, DocumentRead, DocumentStore } from '../ports/document-store.ts';
import type { PreparedDocument } from './apply.ts';
import { pointsOf } from './points.ts';

/** How documents become chunks: the map steps of the pipeline, through their row cache. */
export interface ChunkMaker {
  clean(document: RevisedDocument): Promise<readonly CleanDocument[]>;
  chunk(document: CleanDocument): Promise<readonly Chunk[]>;
}

/** Documents read together, and documents and points after which a batch is full. */
const readAtOnce = 32;
const batchDocuments = 128;
const batchPoints = 512;

/** Reads what keys hold now and makes points of it, in batches of bounded size. */
export async function* prepareDocuments(
  keys: readonly DocumentKey[],
  store: DocumentStore,
  maker: ChunkMaker,
): AsyncGenerator<PreparedDocument[]> {
  let batch: PreparedDocument[] = [];
  let points = 0;
  for (let start = 0; start < keys.length; start += readAtOnce) {
    const reads = await store.get(keys.slice(start, start + readAtOnce));
    for (const document of await Promise.all(reads.map((read) => prepareDocument(read, maker)))) {
      batch.push(document);
      points += document.points.length;
      if (batch.length < batchDocuments && points < batchPoints) continue;
      yield batch;
      batch = [];
      points = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/** The points that a document should have, as it was read. */
export async function prepareDocument({ key, document, version }: DocumentRead, maker: ChunkMaker): Promise<PreparedDocument> {
  if (document === null) return { key, version, exists: false, points: [] };
  // That a source no longer holds it does not change what is indexed.
  const { vanished: _vanished, ...revised } = document;
  const chunks: Chunk[] = [];
  for (const clean of await maker.clean(revised)) chunks.push(...(await maker.chunk(clean)));
  return { key, version, exists: true, points: pointsOf(chunks) };
}
