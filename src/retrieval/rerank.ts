import { embedderInput } from '../contracts/document.ts';
import type { Reranker } from '../ports/reranker.ts';
import type { Hit } from '../ports/vector-index.ts';
import { byScore } from './fuse.ts';

/** Orders hits by a reranker's scores, best first, ties by id. */
export async function rerank(question: string, hits: readonly Hit[], reranker: Reranker, signal?: AbortSignal): Promise<Hit[]> {
  if (hits.length === 0) return [];
  const scores = await reranker.score(
    question,
    hits.map(({ payload }) => embedderInput(payload)),
    signal ? { signal } : {},
  );
  return hits.map((hit, index) => ({ ...hit, score: scores[index]! })).toSorted(byScore);
}
