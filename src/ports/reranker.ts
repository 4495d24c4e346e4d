/** Scores passages against a question better than vectors can; off by default. */
export interface Reranker {
  readonly identity: string;
  /** One score a passage, in their order; higher is better. */
  score(question: string, passages: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<number[]>;
}
