import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { splitOf } from '../../src/datasets/split.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Divides the samples by their documents, so that new documents never move old ones. */
export const splitSamples = defineStep({
  name: 'split-samples',
  version: 1,
  summary: 'Divide the samples by document into train, validation and test',
  params: z
    .strictObject({
      /** Shares of the documents. */
      validation: z.number().min(0).max(1).default(0.1),
      test: z.number().min(0).max(1).default(0.2),
      /** Another salt draws another split. */
      salt: z.string().default(''),
    })
    .refine(({ validation, test }) => validation + test < 1, 'validation and test together must leave a share to train on'),
  inputs: { samples: rows('unique-samples', InstructionSample) },
  outputs: {
    train: rows('assigned-train-samples', InstructionSample),
    validation: rows('assigned-validation-samples', InstructionSample),
    test: rows('test-samples', InstructionSample),
  },
  async run({ inputs, outputs, params, count }) {
    for await (const sample of inputs.samples) {
      const split = splitOf(sample.document, params);
      await outputs[split].write(sample);
      count(split);
    }
  },
});
