import { z } from 'zod';
import { Digest } from './document.ts';

/** A folder in the artifact store. */
export const FolderReference = z.strictObject({ digest: Digest, bytes: z.int().nonnegative(), files: z.int().positive() });
export type FolderReference = z.output<typeof FolderReference>;

/** How a model came to be. */
export const ModelMethod = z.enum(['pretrain-tiny', 'sft', 'dpo', 'distilled', 'imported']);
export type ModelMethod = z.output<typeof ModelMethod>;

/** An immutable, content-addressed version of a model. References to other versions are `<name>@<version>`. */
export const ModelVersion = z.strictObject({
  name: z.string(),
  /** The first 12 hexadecimal digits of the digest of everything here but run and time. */
  version: z.string(),
  method: ModelMethod,
  /** Its base was pretrained here on a few documents: good for proving the pipeline, not for answering people. */
  toy: z.boolean(),
  /** Whole weights that can be served: the base itself, or adapter and base merged. */
  weights: Digest,
  /** The adapter alone, null for a base. */
  adapter: Digest.nullable(),
  /** The version that the adapter stands on; null for a base. */
  base: z.string().nullable(),
  /** The version that tuning started from (the SFT version of a DPO version); null where that is the base. */
  parent: z.string().nullable(),
  /** The dataset version, `<name>@<version>`; null for a base. */
  dataset: z.string().nullable(),
  /** The rows that were learned: documents, instruction samples, or preference pairs; null where they are not known here. */
  data: Digest.nullable(),
  promptTemplate: Digest,
  params: z.json(),
  seed: z.int().nonnegative(),
  libraries: z.record(z.string(), z.string()),
  /** Largest absolute difference of logits between adapter and merged weights; null for a base. */
  mergeDifference: z.number().nonnegative().nullable(),
  /** Of an imported version: where it came from, and the licence that it stands under as its importer said. */
  origin: z.strictObject({ source: z.string(), licence: z.string().nullable() }).optional(),
  /** Of a version that was made smaller: how, and how it compared with its parent where it was made. */
  compression: z
    .strictObject({
      pruning: z.string(),
      share: z.number(),
      /** Share of the weights inside of layers that are zero. */
      zeros: z.number(),
      /** Mean KL to the parent in nats a token: after pruning, and after healing. */
      prunedMeanKl: z.number(),
      meanKl: z.number(),
      sameFirstChoice: z.number(),
      bytes: z.int().positive(),
      sourceBytes: z.int().positive(),
      parameters: z.int().positive(),
      sourceParameters: z.int().positive(),
      tokensPerSecond: z.strictObject({ model: z.number(), compressed: z.number() }),
    })
    .optional(),
  /** The run that registered it, or the command. */
  run: z.string(),
  /** ISO 8601, by the metadata store's clock. */
  createdAt: z.iso.datetime(),
});
export type ModelVersion = z.output<typeof ModelVersion>;

/** One move of an alias. The alias names what its last move says. */
export const AliasMove = z.strictObject({
  from: z.string().nullable(),
  to: z.string(),
  /** The user or job that moved it. */
  who: z.string(),
  when: z.iso.datetime(),
  run: z.string().nullable(),
  /** Digest of the evaluation report that justified it, null where none did. */
  report: Digest.nullable(),
  reason: z.string(),
  /** No passed evaluation justified it: somebody insisted, for the reason given. */
  forced: z.literal(true).optional(),
  /** It took the move back that had brought `from`. */
  rollback: z.literal(true).optional(),
});
export type AliasMove = z.output<typeof AliasMove>;

/** What an evaluation concluded about a version, as the registry keeps it. */
export const EvaluationRecord = z.strictObject({
  candidate: z.string(),
  /** What it was compared with: the target of the alias; null where its own base was the bar. */
  incumbent: z.string().nullable(),
  alias: z.string(),
  /** Digest of the report. */
  report: Digest,
  /** The held-out rows: verdicts over different sets are not comparable. */
  frozenSet: Digest,
  verdict: z.enum(['pass', 'fail', 'undecided']),
  reasons: z.array(z.string()),
  /** Difference in bits per byte, below zero the candidate is better; null where nothing was compared. */
  difference: z.number().nullable(),
  bitsPerByte: z.number().nullable(),
  run: z.string(),
  when: z.iso.datetime(),
});
export type EvaluationRecord = z.output<typeof EvaluationRecord>;

/** That a version was deleted, or registered again afterwards. */
export const ModelDeletion = z.strictObject({
  version: z.string(),
  deleted: z.boolean(),
  who: z.string(),
  when: z.iso.datetime(),
  reason: z.string(),
});
export type ModelDeletion = z.output<typeof ModelDeletion>;

/** A version that an alias names, as a step's artifact: null where it names none. */
export const ResolvedModel = z.strictObject({
  alias: z.string(),
  model: ModelVersion.nullable(),
});
export type ResolvedModel = z.output<typeof ResolvedModel>;

/** The versions that an evaluation compares, as `<name>@<version>`. */
export const ComparedModels = z.strictObject({
  name: z.string(),
  /** The alias that a pass moves. */
  alias: z.string(),
  base: z.string(),
  sft: z.string(),
  candidate: z.string(),
  /** What the candidate would replace, or has replaced; null for the first version: then the bar is the base. */
  incumbent: z.string().nullable(),
});
export type ComparedModels = z.output<typeof ComparedModels>;
