import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { drawInstructions } from '../../src/datasets/public-instructions.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Adds rows of a public instruction set to what is learned, so that tuning on few documents forgets less. */
export const mixInstructions = defineStep({
  name: 'mix-instructions',
  version: 1,
  summary: 'Mix in rows of a public instruction set, if one is named',
  params: z.strictObject({
    /** JSON Lines of `instruction`, `input` (may be empty) and `output`; null: nothing is mixed in. */
    file: z.string().nullable().default(null),
    /** The sha256 that the file must have: the rows are pinned. */
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable()
      .default(null),
    /** So many rows are drawn. */
    rows: z.int().positive().default(10_000),
    seed: z.int().nonnegative().default(0),
  }),
  files: ({ file }) => (file === null ? [] : [file]),
  inputs: { train: rows('train-samples', InstructionSample) },
  outputs: { train: rows('train-samples', InstructionSample) },
  async run({ params, inputs, outputs, count }) {
    for await (const sample of inputs.train) await outputs.train.write(sample);
    if (params.file === null) return;
    const { samples, skipped } = await drawInstructions({ ...params, file: params.file });
    for (const sample of samples) await outputs.train.write(sample);
    count('mixed in', samples.length);
    for (const [reason, amount] of Object.entries(skipped)) count(reason, amount);
  },
});
