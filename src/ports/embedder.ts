/** Turns texts into vectors of one length. */
export interface Embedder {
  /** Model, pinned package or revision, dtype, pooling and prefix: everything that changes a vector. */
  readonly identity: string;
  readonly dimension: number;
  /** Unit vectors, one for each text and in their order. */
  embed(texts: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<Float32Array[]>;
}
