/** Counts tokens as the embedder will: the same vocabulary, special tokens not counted. */
export interface Tokenizer {
  /** Model and pinned package or revision; part of the fingerprint of every step that needs this port. */
  readonly identity: string;
  /** Tokens that one embedder input may hold, special tokens already deducted (254 for all-MiniLM-L6-v2). */
  readonly window: number;
  count(text: string): number;
}
