import { z } from 'zod';
import { SourceReference } from './document.ts';
import { AnswerPassage } from './results.ts';

/** A question of a question file. */
export const Question = z.strictObject({ id: z.string(), question: z.string().min(1) });
export type Question = z.output<typeof Question>;

/** A question beside everything that its answer depends on: an answer is made again only when one of these changed. */
export const PosedQuestion = z.strictObject({
  ...Question.shape,
  /** `<name>@<version>` of the model, and the digest of its weights. */
  model: z.string(),
  weights: z.string(),
  tenant: z.string(),
  /** The index, its generation and the digest of what it holds. */
  index: z.string(),
  generation: z.string(),
  setHash: z.string(),
  passages: z.int().positive(),
  maxNewTokens: z.int().positive(),
});
export type PosedQuestion = z.output<typeof PosedQuestion>;

/** An answer of the batch, with what it cost. Times are milliseconds of the caller's monotonic clock. */
export const AnsweredQuestion = z.strictObject({
  id: z.string(),
  question: z.string(),
  answer: z.string(),
  model: z.string(),
  passages: z.array(AnswerPassage),
  sources: z.array(SourceReference),
  promptTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  retrievalMs: z.number().nonnegative(),
  timeToFirstTokenMs: z.number().nonnegative().nullable(),
  /** (latency - time to first token) / (output tokens - 1); null below two tokens. */
  timePerOutputTokenMs: z.number().nonnegative().nullable(),
  latencyMs: z.number().nonnegative(),
});
export type AnsweredQuestion = z.output<typeof AnsweredQuestion>;

const Percentiles = z.strictObject({ median: z.number(), percentile95: z.number() });

/** What a batch of answers cost. */
export const InferenceSummary = z.strictObject({
  model: z.string(),
  questions: z.int().nonnegative(),
  cited: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  /** Null where no answer had a token. */
  timeToFirstTokenMs: Percentiles.nullable(),
  timePerOutputTokenMs: Percentiles.nullable(),
  latencyMs: Percentiles.nullable(),
});
export type InferenceSummary = z.output<typeof InferenceSummary>;
