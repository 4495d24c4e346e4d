import { z } from 'zod';

/** A line of `twin watch --json`, about once a second: where following the changes stands. */
export const WatchStatus = z.strictObject({
  type: z.literal('watch-status'),
  index: z.string(),
  /** `catching-up` until everything that there was is applied; `waiting` for a server that is away. */
  state: z.enum(['catching-up', 'in-step', 'waiting', 'stopping']),
  /** Changes settled since the start, and in the last second. */
  settled: z.int(),
  perSecond: z.number(),
  /** Keys with changes that were read and not settled. */
  unsettled: z.int(),
  deadLetters: z.int(),
  /** Points written and removed, and embeddings made, since the start. */
  pointsWritten: z.int(),
  pointsRemoved: z.int(),
  embeddingsMade: z.int(),
  /** Between the last settled change and the last change of the source, by the source's clock; null where it cannot be told. */
  lagMs: z.number().nullable(),
  /** The part of the source's history that has passed since the last settled change: at 1 changes are lost. */
  windowUsed: z.number().nullable(),
  /** More than half of the history has passed. */
  alarm: z.boolean(),
  /** What is waited for. */
  problem: z.string().nullable(),
});
export type WatchStatus = z.output<typeof WatchStatus>;

/** The last line of `twin watch --json` that was asked to stop. */
export const WatchFinished = z.strictObject({
  type: z.literal('watch-finished'),
  index: z.string(),
  generation: z.string(),
  settled: z.int(),
  deadLetters: z.int(),
  documents: z.int(),
  points: z.int(),
  durationMs: z.number(),
});
export type WatchFinished = z.output<typeof WatchFinished>;

/** A line of `twin dlq list --json`: a document that could not be brought into the index. */
export const DeadLetterLine = z.strictObject({
  type: z.literal('dead-letter'),
  document: z.string(),
  tenant: z.string(),
  /** Of the read that failed. */
  version: z.int(),
  reason: z.string(),
  message: z.string(),
  where: z.string().nullable(),
  expected: z.string().nullable(),
  found: z.string().nullable(),
  hint: z.string().nullable(),
  tries: z.int(),
  /** When it was last tried. */
  at: z.string(),
});
export type DeadLetterLine = z.output<typeof DeadLetterLine>;

/** The last line of `twin dlq retry` and `discard`. */
export const DeadLettersChanged = z.strictObject({
  type: z.literal('dead-letters-changed'),
  what: z.enum(['retried', 'asked', 'discarded']),
  settled: z.int(),
  dead: z.int(),
});
export type DeadLettersChanged = z.output<typeof DeadLettersChanged>;

/** `twin reconcile`: what stands where, and what would be, or was, done about it. */
export const Reconciliation = z.strictObject({
  type: z.literal('reconciliation'),
  index: z.string(),
  generation: z.string().nullable(),
  /** Why it is needed; null where no gap is known. */
  gap: z.string().nullable(),
  /** Documents in the store, and in the ledger of the index. */
  documents: z.int(),
  indexed: z.int(),
  done: z.boolean(),
  /** Points that were written and removed; 0 until it is done. */
  written: z.int(),
  removed: z.int(),
});
export type Reconciliation = z.output<typeof Reconciliation>;
