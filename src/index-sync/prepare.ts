import type { Chunk, CleanDocument, RevisedDocument } from '../contracts/document.ts';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { DocumentKey, DocumentRead, DocumentStore } from '../ports/document-store.ts';
import type { PreparedDocument } from './apply.ts';
import { pointsOf } from './points.ts';

/** How documents become chunks: the map steps of the pipeline, through their row cache. */
export interface ChunkMaker {
  clean(document: RevisedDocument): Promise<readonly CleanDocument[]>;
  chunk(document: CleanDocument): Promise<readonly Chunk[]>;
}

/** Documents read together, at first and at most; documents and points after which a batch is full; characters that are read together at best. */
const readAtFirst = 32;
const readAtMost = 128;
const charactersAtOnce = 4_000_000;
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
  let together = readAtFirst;
  for (let start = 0; start < keys.length;) {
    const reads = await store.get(keys.slice(start, start + together));
    start += together;
    const characters = reads.reduce((sum, { document }) => sum + (document?.content.length ?? 0), 0);
    // Large documents are read few at a time, so that memory does not grow with them.
    together = Math.min(readAtMost, Math.max(1, Math.floor((charactersAtOnce * reads.length) / Math.max(1, characters))));
    for (const document of await prepareAll(reads, maker)) {
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

/** Makes points of documents; where that fails, each is tried alone, so that one broken document is no trouble for the others. */
async function prepareAll(reads: readonly DocumentRead[], maker: ChunkMaker): Promise<readonly PreparedDocument[]> {
  try {
    return await Promise.all(reads.map((read) => prepareDocument(read, maker)));
  } catch (error) {
    if (isAbort(error)) throw error;
    const prepared: PreparedDocument[] = [];
    for (const read of reads) {
      try {
        prepared.push(await prepareDocument(read, maker));
      } catch (error) {
        // What no document can help (the configuration, a service that is away) is no fault of this one.
        if (isAbort(error) || (error instanceof ProblemError && error.problem.exit === 2)) throw error;
        prepared.push({
          key: read.key,
          version: read.version,
          exists: read.document !== null,
          points: [],
          problem: problemOf(error, read),
        });
      }
    }
    const failed = prepared.filter(({ problem }) => problem !== undefined);
    if (failed.length === reads.length && failed.length >= allBroken) throw error;
    return prepared;
  }
}

/** So many documents that fail together are no accident of their content. */
const allBroken = 8;

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function problemOf(error: unknown, { key }: DocumentRead): Problem {
  if (error instanceof ProblemError) return error.problem;
  return {
    reason: 'document-not-chunked',
    message: `Document ${key.id} could not be cleaned and cut`,
    found: error instanceof Error ? error.message : String(error),
    hint: 'Mend the document, or the step that fails; then: twin dlq retry',
    exit: 1,
  };
}

/** The points that a document should have, as it was read. */
export async function prepareDocument({ key, document, version, problem }: DocumentRead, maker: ChunkMaker): Promise<PreparedDocument> {
  if (problem !== undefined) return { key, version, exists: true, points: [], problem };
  if (document === null) return { key, version, exists: false, points: [] };
  // That a source no longer holds it does not change what is indexed.
  const { vanished: _vanished, ...revised } = document;
  const chunks: Chunk[] = [];
  for (const clean of await maker.clean(revised)) chunks.push(...(await maker.chunk(clean)));
  return { key, version, exists: true, points: pointsOf(chunks) };
}
