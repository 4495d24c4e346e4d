import type { Embedder } from '../ports/embedder.ts';
import type { PointFilter, VectorIndex } from '../ports/vector-index.ts';
import type { RankedList } from './fuse.ts';

/** What is searched, and how far. */
export interface SearchOptions {
  readonly generation: string;
  readonly tenant: string;
  readonly filter: PointFilter;
  /** Hits of each list. */
  readonly candidates: number;
  readonly weights: { readonly dense: number; readonly sparse: number };
  /** Terms of a text, by the tokenizer that the index was filled with. */
  readonly terms: (text: string) => readonly string[];
  readonly signal?: AbortSignal;
}

/** Searches every wording dense and sparse; a list of weight 0 is not asked for. */
export async function searchLists(
  wordings: readonly string[],
  options: SearchOptions,
  ports: { readonly embedder: Embedder; readonly vectorIndex: VectorIndex },
): Promise<RankedList[]> {
  const { generation, tenant, filter, candidates: limit, weights, terms, signal } = options;
  const vectors = weights.dense > 0 ? await ports.embedder.embed(wordings, signal ? { signal } : {}) : [];
  const dense = vectors.map(async (vector) => ({
    weight: weights.dense,
    hits: await ports.vectorIndex.searchDense(generation, tenant, { vector, limit, filter }),
  }));
  const sparse = (weights.sparse > 0 ? wordings : []).map(async (wording) => {
    const query = terms(wording);
    return {
      weight: weights.sparse,
      hits: query.length === 0 ? [] : await ports.vectorIndex.searchSparse(generation, tenant, { terms: query, limit, filter }),
    };
  });
  return Promise.all([...dense, ...sparse]);
}
