import { embedderAlias, noIndex, otherEmbedder } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ChatModel } from '../ports/chat-model.ts';
import type { Embedder } from '../ports/embedder.ts';
import type { Reranker } from '../ports/reranker.ts';
import type { Hit, PointFilter, VectorIndex } from '../ports/vector-index.ts';
import { expandQuestion } from './expand-question.ts';
import { fuse } from './fuse.ts';
import { rerank } from './rerank.ts';
import { searchLists } from './search.ts';
import { type KnownFacets, deriveFilter, narrow } from './self-query.ts';

/** A question and where to look for passages. */
export interface RetrievalRequest {
  readonly question: string;
  readonly tenant: string;
  /** The alias that names the index. */
  readonly index: string;
  /** Hard conditions: nothing that a model says can widen them. */
  readonly filter?: PointFilter;
  /** Passages that come back at most. */
  readonly passages: number;
  /** Hits of each search before fusion. */
  readonly candidates?: number;
  readonly weights?: { readonly dense: number; readonly sparse: number };
  /** Further wordings that a chat model is asked for. */
  readonly wordings?: number;
  readonly facets?: KnownFacets;
  readonly terms: (text: string) => readonly string[];
  readonly signal?: AbortSignal;
}

/** What retrieval asks of the outside. `model` null: no expansion, no derived filter. `reranker` null: fused order stands. */
export interface RetrievalPorts {
  readonly embedder: Embedder;
  readonly vectorIndex: VectorIndex;
  readonly reranker: Reranker | null;
  readonly model: ChatModel | null;
}

/** Passages, best first, and how they were found. */
export interface Retrieved {
  readonly hits: readonly Hit[];
  readonly wordings: readonly string[];
  readonly filter: PointFilter;
  readonly generation: string;
  /** Milliseconds by stage. */
  readonly timings: Readonly<Record<string, number>>;
}

/** Runs a stage and notes its milliseconds under its name. */
async function timed<Value>(timings: Record<string, number>, stage: string, run: () => Promise<Value> | Value): Promise<Value> {
  const start = performance.now();
  try {
    return await run();
  } finally {
    timings[stage] = performance.now() - start;
  }
}

/** Expand and derive filters (with a model only) → search dense and sparse → fuse → rerank (if there is a reranker) → the best. */
export async function retrieve(request: RetrievalRequest, ports: RetrievalPorts): Promise<Retrieved> {
  const { question, tenant, index, terms, signal, filter: hard = {} } = request;
  const { model, reranker } = ports;
  const timings: Record<string, number> = {};
  if (question.trim() === '') throw new ProblemError(emptyQuestion);
  const generation = await generationFor(index, ports);

  const wordings = model
    ? await timed(timings, 'expand', () => expandQuestion(question, model, request.wordings ?? 2, signal))
    : [question];
  const { facets } = request;
  const derived = model && facets ? await timed(timings, 'self-query', () => deriveFilter(question, facets, model, signal)) : {};
  const filter = narrow(hard, derived);

  const candidates = request.candidates ?? Math.max(50, 5 * request.passages);
  const weights = request.weights ?? { dense: 1, sparse: 1 };
  const search = { generation, tenant, filter, candidates, weights, terms, ...(signal && { signal }) };
  const lists = await timed(timings, 'search', () => searchLists(wordings, search, ports));
  const fused = await timed(timings, 'fuse', () => fuse(lists));
  const ordered = reranker ? await timed(timings, 'rerank', () => rerank(question, fused.slice(0, candidates), reranker, signal)) : fused;
  return { hits: ordered.slice(0, request.passages), wordings, filter, generation, timings };
}

/** The generation that was made with the embedder at hand: while an index is built anew with another, each reader keeps to its own. */
async function generationFor(index: string, { embedder, vectorIndex }: RetrievalPorts): Promise<string> {
  const generation = await vectorIndex.alias(embedderAlias(index, embedder.identity));
  if (generation !== null) return generation;
  throw new ProblemError((await vectorIndex.alias(index)) === null ? noIndex(index) : otherEmbedder(index, embedder.identity));
}

const emptyQuestion = { reason: 'empty-question', message: 'The question is empty', hint: 'Ask one: twin ask "…"', exit: 2 } as const;
