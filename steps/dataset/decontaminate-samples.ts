import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { DropReport, InstructionSample } from '../../src/contracts/dataset.ts';
import { decontaminateSamples as decontaminate } from '../../src/datasets/curation.ts';
import { defineStep, type RowReader } from '../../src/engine/define.ts';

/** Drops what is trained on and shares long runs of words with what is held out; the test split is never changed for it. */
export const decontaminateSamples = defineStep({
  name: 'decontaminate-samples',
  version: 1,
  summary: 'Drop training samples that overlap held-out ones',
  params: z.strictObject({
    /** Words of a run that training and held-out answers may not share. */
    words: z.int().positive().default(13),
  }),
  inputs: {
    train: rows('assigned-train-samples', InstructionSample),
    validation: rows('assigned-validation-samples', InstructionSample),
    test: rows('test-samples', InstructionSample),
  },
  outputs: {
    train: rows('train-samples', InstructionSample),
    validation: rows('validation-samples', InstructionSample),
    dropped: json('dropped-overlaps', DropReport),
  },
  async run({ inputs, outputs, params, count }) {
    const [train, validation, test] = await Promise.all([all(inputs.train), all(inputs.validation), all(inputs.test)]);
    const cleanValidation = await decontaminate(validation, test, params.words);
    const cleanTrain = await decontaminate(train, [...cleanValidation.kept, ...test], params.words);
    for (const sample of cleanTrain.kept) await outputs.train.write(sample);
    for (const sample of cleanValidation.kept) await outputs.validation.write(sample);
    const [one, other] = [cleanTrain.report, cleanValidation.report];
    const overlaps = (one.reasons['held-out-overlap'] ?? 0) + (other.reasons['held-out-overlap'] ?? 0);
    if (overlaps > 0) count('held-out-overlap', overlaps);
    await outputs.dropped.write({
      before: one.before + other.before,
      after: one.after + other.after,
      reasons: overlaps > 0 ? { 'held-out-overlap': overlaps } : {},
      examples: [...one.examples, ...other.examples],
    });
  },
});

async function all(reader: RowReader<InstructionSample>): Promise<InstructionSample[]> {
  return Array.fromAsync(reader);
}
