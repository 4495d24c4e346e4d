import { z } from 'zod';
import { Digest, SourceReference } from './document.ts';

/** Where a sample's answer, or a question's answer, stands: an exact slice of one cleaned document. */
const slice = {
  /** The document's id. */
  document: z.string(),
  /** The headings that the slice stands under, outermost first. */
  headings: z.array(z.string()),
  /** Offsets in code points of the cleaned text. */
  start: z.int().nonnegative(),
  end: z.int().positive(),
  sources: z.array(SourceReference).min(1),
};

/** How an instruction was made: from the headings above the answer, by a chat model that was shown the answer, or by the authors of a public set. */
export const InstructionMethod = z.enum(['heading-section', 'back-translation', 'public']);
export type InstructionMethod = z.output<typeof InstructionMethod>;

/** An instruction and the author's own text that answers it: `[...clean.text].slice(start, end).join('') === answer`. */
export const InstructionSample = z.strictObject({
  /** UUIDv5 of document, method, instruction and answer: an edit elsewhere in the document does not change it. */
  id: z.string(),
  instruction: z.string().min(1),
  answer: z.string().min(1),
  method: InstructionMethod,
  ...slice,
});
export type InstructionSample = z.output<typeof InstructionSample>;

/** What one document gave to a dataset, and how many of its sections gave nothing, by reason. */
export const SampledDocument = z.strictObject({
  document: z.string(),
  sources: z.array(SourceReference).min(1),
  samples: z.array(InstructionSample),
  /** Sections (or pieces of them) that gave no sample, by reason (`too-short`, `code-only`, …). */
  skipped: z.record(z.string(), z.int().positive()),
});
export type SampledDocument = z.output<typeof SampledDocument>;

/** One prompt with the answer to prefer (the author's text) and the answer to avoid (a model's). */
export const PreferencePair = z.strictObject({
  /** UUIDv5 of prompt, chosen and rejected. */
  id: z.string(),
  prompt: z.string().min(1),
  chosen: z.string().min(1),
  rejected: z.string().min(1),
  document: z.string(),
  sources: z.array(SourceReference).min(1),
});
export type PreferencePair = z.output<typeof PreferencePair>;

/** A question whose answer is one known section: a passage is relevant when it overlaps that slice. */
export const RetrievalQuestion = z.strictObject({ id: z.string(), question: z.string().min(1), ...slice });
export type RetrievalQuestion = z.output<typeof RetrievalQuestion>;

/** A part of a dataset; which one a sample belongs to depends on its document alone. */
export const SplitName = z.enum(['train', 'validation', 'test']);
export type SplitName = z.output<typeof SplitName>;

/** What a curation step took away from a set: how many, why, and a few of them by id. */
export const DropReport = z.strictObject({
  /** Rows before and after. */
  before: z.int().nonnegative(),
  after: z.int().nonnegative(),
  reasons: z.record(z.string(), z.int().positive()),
  /** The first dropped rows, in order of id; `because` names the survivor or the row that was overlapped. */
  examples: z.array(z.strictObject({ id: z.string(), reason: z.string(), because: z.string().nullable(), document: z.string() })),
});
export type DropReport = z.output<typeof DropReport>;

/** One thing that a gate found wrong with a set. */
export const GateFinding = z.strictObject({
  /** kebab-case name of the check (`unresolved-placeholder`). */
  check: z.string(),
  /** Only `refuse` turns the verdict. */
  severity: z.enum(['refuse', 'warn']),
  /** How many rows are concerned; for a floor, how many rows there are. */
  count: z.int().nonnegative(),
  /** What would have been allowed, in the unit that the message names. */
  limit: z.number().optional(),
  /** The first rows concerned. */
  samples: z.array(z.strictObject({ id: z.string(), excerpt: z.string() })),
  message: z.string(),
});
export type GateFinding = z.output<typeof GateFinding>;

/** What a gate looked at and what it found; refused when one finding at least says so. */
export const GateReport = z.strictObject({
  verdict: z.enum(['pass', 'refuse']),
  /** Every check that ran, so that silence is known to be a pass. */
  checks: z.array(z.string()),
  findings: z.array(GateFinding),
  /** The messages of the findings that refuse, each with its check; of a pass, what it looked at. */
  reasons: z.array(z.string()).min(1),
});
export type GateReport = z.output<typeof GateReport>;

/** Lengths in characters (code points). */
export const LengthSummary = z.strictObject({
  minimum: z.int().nonnegative(),
  median: z.number().nonnegative(),
  percentile95: z.number().nonnegative(),
  maximum: z.int().nonnegative(),
});
export type LengthSummary = z.output<typeof LengthSummary>;

/** What a dataset holds, where it comes from and what was left out: for the reader of the registry. */
export const DatasetCard = z.strictObject({
  /** Samples by split. */
  counts: z.record(SplitName, z.int().nonnegative()),
  /** Null when the set is empty. */
  lengths: z.strictObject({ instruction: LengthSummary, answer: LengthSummary }).nullable(),
  methods: z.record(z.string(), z.int().positive()),
  /** The document revisions that the samples come from, by document id. */
  sources: z.array(SourceReference),
  /** Rows dropped by stage (`generate`, `deduplicate`, `decontaminate`) and reason. */
  dropped: z.record(z.string(), z.record(z.string(), z.int().positive())),
  gate: GateReport,
});
export type DatasetCard = z.output<typeof DatasetCard>;

/** The content of one split: the digest of its rows artifact and how many rows it holds. */
export const SplitReference = z.strictObject({ artifact: Digest, count: z.int().nonnegative() });
export type SplitReference = z.output<typeof SplitReference>;

/** A registered, immutable dataset. */
export const DatasetVersion = z.strictObject({
  name: z.string(),
  /** The first 12 hexadecimal digits of the digest of name and splits: equal content is the same version. */
  version: z.string(),
  splits: z.strictObject({ train: SplitReference, validation: SplitReference, test: SplitReference }),
  preference: SplitReference.nullable(),
  /** The digest of the card. */
  card: Digest,
  /** ISO 8601, by the metadata store's clock. */
  createdAt: z.iso.datetime(),
});
export type DatasetVersion = z.output<typeof DatasetVersion>;
