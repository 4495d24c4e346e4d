import { z } from 'zod';
import { Digest, SourceReference } from './document.ts';

/** What a model is in a comparison. */
export const ModelRole = z.enum(['base', 'sft', 'candidate', 'incumbent']);
export type ModelRole = z.output<typeof ModelRole>;

/** How one model did on one held-out item: sufficient statistics, so that any corpus figure can be computed again. */
export const ItemScore = z.strictObject({
  /** The id of the `InstructionSample`. */
  item: z.string(),
  /** Which of the compared models this is. */
  role: ModelRole,
  /** The document that the item comes from: the cluster of the bootstrap. */
  document: z.string(),
  /** Tokens of the answer that were predicted, by this model's tokenizer. */
  tokens: z.int().positive(),
  /** UTF-8 bytes of the answer. */
  bytes: z.int().positive(),
  /** Sum over the answer's tokens of -ln p, in nats. */
  negativeLogLikelihood: z.number().nonnegative(),
  /** What the model wrote to the same prompt; null for an item that was only scored. */
  generated: z.string().nullable(),
  /** The author's answer. */
  reference: z.string(),
  sources: z.array(SourceReference).min(1),
});
export type ItemScore = z.output<typeof ItemScore>;

/** A figure with the interval that a bootstrap puts around it. */
export const MetricWithInterval = z.strictObject({
  value: z.number(),
  low: z.number(),
  high: z.number(),
  /** The coverage of the interval, 0.95 for 95 %. */
  confidence: z.number().gt(0).lt(1),
});
export type MetricWithInterval = z.output<typeof MetricWithInterval>;

/** The corpus figures of one model on the frozen set. */
export const ModelScores = z.strictObject({
  role: ModelRole,
  /** Registry version id; null for a model outside the registry. */
  version: z.string().nullable(),
  items: z.int().positive(),
  /** Mean negative log-likelihood per token, in nats. */
  loss: z.number(),
  /** exp(loss): comparable between models of one tokenizer only. */
  perplexityPerToken: z.number(),
  bitsPerByte: z.number(),
  /** 2 ** bitsPerByte: comparable across tokenizers. */
  perplexityPerByte: z.number(),
  /** Mean ROUGE-L F1 of the generated answers, 0 to 1; null where nothing was generated. */
  rougeL: z.number().nullable(),
});
export type ModelScores = z.output<typeof ModelScores>;

/** The paired difference in bits per byte, candidate - opponent: below zero the candidate is better. */
export const Comparison = z.strictObject({
  /** The incumbent, or the candidate's own base where there is none. */
  against: z.enum(['incumbent', 'base']),
  difference: MetricWithInterval,
  /** The largest difference that still passes: a non-inferiority margin against an incumbent, 0 against the base. */
  margin: z.number(),
  seed: z.int().nonnegative(),
  resamples: z.int().positive(),
  items: z.int().nonnegative(),
  /** Clusters of the bootstrap. */
  documents: z.int().nonnegative(),
});
export type Comparison = z.output<typeof Comparison>;

/** How well retrieval finds the sections that heading questions ask for. */
export const RetrievalScores = z.strictObject({
  questions: z.int().nonnegative(),
  /** Recall by cut-off, the key being k. */
  recallAt: z.record(z.string().regex(/^[1-9]\d*$/), z.number()),
  meanReciprocalRank: z.number(),
  ndcg10: z.number(),
});
export type RetrievalScores = z.output<typeof RetrievalScores>;

/** What an evaluation concluded: undecided is neither a pass nor a fail, and moves nothing. */
export const Verdict = z.enum(['pass', 'fail', 'undecided']);
export type Verdict = z.output<typeof Verdict>;

/** The outcome of one evaluation on one frozen set. */
export const EvaluationReport = z.strictObject({
  /** The digest of the held-out rows. */
  frozenSet: Digest,
  /** How the figures were computed; figures under different signatures are not comparable. */
  signature: z.string(),
  models: z.array(ModelScores).min(1),
  comparison: Comparison.nullable(),
  retrieval: RetrievalScores.nullable(),
  verdict: Verdict,
  reasons: z.array(z.string()).min(1),
});
export type EvaluationReport = z.output<typeof EvaluationReport>;
