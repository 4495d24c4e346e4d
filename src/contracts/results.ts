import { z } from 'zod';
import { RunStatus, StepCounts } from './run.ts';

/** The last line of `twin run --json`. */
export const RunFinishedResult = z.strictObject({
  type: z.literal('run-finished'),
  run: z.string(),
  pipeline: z.string(),
  status: RunStatus,
  steps: StepCounts,
  durationMs: z.number(),
  reason: z.string().nullable().optional(),
  /** The file of its report. */
  report: z.string().nullable().optional(),
});

/** `twin verify index --json`: documents and points that should be there, and how many points differ from that. */
export const IndexVerified = z.strictObject({
  type: z.literal('index-verified'),
  documents: z.int(),
  points: z.int(),
  missing: z.int(),
  stale: z.int(),
  different: z.int(),
  /** How many documents were drawn, where not all were looked at. */
  sample: z.int().optional(),
  /** Where readers find a generation that was made with another configuration than the present one: its name, and that of the one that this one makes. */
  otherwise: z.strictObject({ serving: z.string(), configured: z.string() }).optional(),
});
export type IndexVerified = z.output<typeof IndexVerified>;

/** One line of `twin index list --json`. */
export const IndexGenerationLine = z.strictObject({
  type: z.literal('index-generation'),
  index: z.string(),
  generation: z.string(),
  state: z.enum(['building', 'serving', 'kept', 'refused', 'rolled-back']),
  /** Identity of the embedder that made its vectors. */
  embedder: z.string(),
  /** Null while changes are being applied. */
  documents: z.int().nullable(),
  points: z.int().nullable(),
  since: z.number(),
  /** When it will be dropped; null where nothing drops it by itself. */
  keptUntil: z.number().nullable(),
  /** Why it was refused. */
  reasons: z.array(z.string()),
});
export type IndexGenerationLine = z.output<typeof IndexGenerationLine>;

/** `twin forget --json`: what was looked at, what went, and where traces are still found. */
export const Forgotten = z.strictObject({
  type: z.literal('forgotten'),
  tenant: z.string(),
  /** False: nothing was changed, this is what would go. */
  done: z.boolean(),
  documents: z.int(),
  /** Counts of what went, or would. */
  erased: z.strictObject({
    documents: z.int(),
    points: z.int(),
    artifacts: z.int(),
    cachedRows: z.int(),
    embeddings: z.int(),
    logLines: z.int(),
    files: z.int(),
  }),
  /** Files that were searched for traces afterwards, and those in which some are left, with what they betray. */
  searched: z.int(),
  remains: z.array(z.strictObject({ file: z.string(), traces: z.array(z.enum(['id', 'address', 'author', 'content'])) })),
  /** Dataset versions whose rows went, and models that learned from them: models are not deleted. */
  datasets: z.array(z.string()),
  models: z.array(z.string()),
});
export type Forgotten = z.output<typeof Forgotten>;

/** A passage that an answer cites. Offsets are code points of the cleaned document. */
export const AnswerPassage = z.strictObject({
  document: z.string(),
  heading: z.string(),
  start: z.int(),
  end: z.int(),
  score: z.number(),
  /** Where the document lives, and the passage itself. */
  address: z.string(),
  title: z.string().nullable(),
  text: z.string(),
});
export type AnswerPassage = z.output<typeof AnswerPassage>;

/** `twin ask --json`. Without a model, answer and model are null and the passages are the answer. */
export const Answer = z.strictObject({
  type: z.literal('answer'),
  question: z.string(),
  answer: z.string().nullable(),
  passages: z.array(AnswerPassage),
  model: z.string().nullable(),
  /** Milliseconds by stage of retrieval and answering. */
  timings: z.record(z.string(), z.number()),
});
export type Answer = z.output<typeof Answer>;

/** One line of `twin models list --json`. */
export const ModelVersionLine = z.strictObject({
  type: z.literal('model-version'),
  name: z.string(),
  version: z.string(),
  aliases: z.array(z.string()),
  stage: z.enum(['champion', 'staging', 'candidate']).nullable(),
  createdAt: z.string(),
});
export type ModelVersionLine = z.output<typeof ModelVersionLine>;

/** The last line of any command that failed, with --json. */
export const ErrorLine = z.strictObject({
  type: z.literal('error'),
  reason: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
  where: z.string().optional(),
  expected: z.string().optional(),
  found: z.string().optional(),
});
