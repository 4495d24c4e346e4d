import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { DatasetVersion, InstructionSample } from '../../src/contracts/dataset.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Opens the splits of a registered dataset. */
export const openDataset = defineStep({
  name: 'open-dataset',
  version: 1,
  summary: 'Open the splits of the dataset',
  params: z.strictObject({}),
  inputs: { dataset: json('dataset-version', DatasetVersion) },
  outputs: {
    train: rows('train-samples', InstructionSample),
    validation: rows('validation-samples', InstructionSample),
    test: rows('test-samples', InstructionSample),
  },
  async run({ inputs, outputs }) {
    const { train, validation, test } = inputs.dataset.splits;
    await outputs.train.adopt({ digest: train.artifact });
    await outputs.validation.adopt({ digest: validation.artifact });
    await outputs.test.adopt({ digest: test.artifact });
  },
});
