/** What a model's likelihood of some text comes down to; sums over items are again such totals. */
export interface LikelihoodTotals {
  /** Sum of -ln p over the tokens, in nats. */
  readonly negativeLogLikelihood: number;
  readonly tokens: number;
  /** UTF-8 bytes of the text that the tokens spell. */
  readonly bytes: number;
}

/** The totals of a corpus: corpus figures come from these, never from a mean of figures per item. */
export function totalsOf(items: Iterable<LikelihoodTotals>): LikelihoodTotals {
  let negativeLogLikelihood = 0;
  let tokens = 0;
  let bytes = 0;
  for (const item of items) {
    negativeLogLikelihood += item.negativeLogLikelihood;
    tokens += item.tokens;
    bytes += item.bytes;
  }
  return { negativeLogLikelihood, tokens, bytes };
}

/** Mean loss in nats a token; NaN for no tokens. */
export function lossPerToken(totals: LikelihoodTotals): number {
  return totals.negativeLogLikelihood / totals.tokens;
}

/** exp(loss per token): comparable between models that share a tokenizer. */
export function perplexityPerToken(totals: LikelihoodTotals): number {
  return Math.exp(lossPerToken(totals));
}

/** Loss in bits a byte of text, which compares across tokenizers; NaN for no bytes. */
export function bitsPerByte(totals: LikelihoodTotals): number {
  return totals.negativeLogLikelihood / (totals.bytes * Math.LN2);
}

/** exp(loss per byte), the byte perplexity: 2 ** bitsPerByte. */
export function perplexityPerByte(totals: LikelihoodTotals): number {
  return Math.exp(totals.negativeLogLikelihood / totals.bytes);
}
