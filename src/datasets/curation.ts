import type { DropReport, InstructionSample } from '../contracts/dataset.ts';
import { findContamination } from './decontaminate.ts';
import { byId, findDuplicates } from './deduplicate.ts';
import type { MinHashOptions } from './minhash.ts';
import { wordsOf } from './words.ts';

/** What a curation step keeps, sorted by id, and what it took away. */
export interface Curated {
  readonly kept: InstructionSample[];
  readonly report: DropReport;
}

interface Dropped {
  readonly id: string;
  readonly reason: string;
  /** The id of the sample that stands for it or that it overlaps. */
  readonly because: string;
}

const shownExamples = 20;

/** Drops samples whose answer repeats another one's, exactly or nearly, and of samples with one instruction all but the lowest id. */
export async function deduplicateSamples(samples: readonly InstructionSample[], options: MinHashOptions): Promise<Curated> {
  const found = await findDuplicates(
    samples.map(({ id, answer }) => ({ id, text: answer })),
    options,
  );
  const duplicates: Dropped[] = found.map(({ id, reason, survivor }) => ({ id, reason, because: survivor }));
  const gone = new Set(duplicates.map(({ id }) => id));
  const firstWithInstruction = new Map<string, string>();
  for (const { id, instruction } of samples.toSorted(byId)) {
    if (gone.has(id)) continue;
    const first = firstWithInstruction.getOrInsert(wordsOf(instruction).join(' ') || instruction, id);
    if (first !== id) duplicates.push({ id, reason: 'repeated-instruction', because: first });
  }
  return without(samples, duplicates);
}

/** Drops training samples whose answer shares a run of `n` words with a held-out answer. */
export async function decontaminateSamples(
  training: readonly InstructionSample[],
  heldOut: readonly InstructionSample[],
  n: number,
): Promise<Curated> {
  const texts = (rows: readonly InstructionSample[]) => rows.map(({ id, answer }) => ({ id, text: answer }));
  const contaminated = await findContamination(texts(training), texts(heldOut), n);
  return without(
    training,
    contaminated.map(({ id, heldOut }) => ({ id, reason: 'held-out-overlap', because: heldOut })),
  );
}

function without(samples: readonly InstructionSample[], dropped: readonly Dropped[]): Curated {
  const gone = new Map(dropped.map((each) => [each.id, each]));
  const kept = samples.filter(({ id }) => !gone.has(id)).toSorted(byId);
  const reasons: Record<string, number> = {};
  for (const { reason } of dropped) reasons[reason] = (reasons[reason] ?? 0) + 1;
  const documents = new Map(samples.map(({ id, document }) => [id, document]));
  const examples = dropped
    .toSorted(byId)
    .slice(0, shownExamples)
    .map(({ id, reason, because }) => ({ id, reason, because, document: documents.get(id)! }));
  return { kept, report: { before: samples.length, after: kept.length, reasons, examples } };
}
