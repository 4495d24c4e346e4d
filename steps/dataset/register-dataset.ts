import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { DatasetCard, DatasetVersion, InstructionSample } from '../../src/contracts/dataset.ts';
import { defineStep } from '../../src/engine/define.ts';
import { datasetReference, latestDataset, registerDataset as register } from '../../src/registry/datasets.ts';

/** Registers a set that passed its gate as the latest version of the dataset. */
export const registerDataset = defineStep({
  name: 'register-dataset',
  version: 1,
  summary: 'Register the set as a version of the dataset',
  params: z.strictObject({ name: z.string().min(1).default('instructions') }),
  inputs: {
    card: json('dataset-card', DatasetCard),
    train: rows('train-samples', InstructionSample),
    validation: rows('validation-samples', InstructionSample),
    test: rows('test-samples', InstructionSample),
  },
  outputs: { dataset: json('dataset-version', DatasetVersion) },
  needs: ['metadataStore'],
  effect: ({ name }) => `dataset:${name}`,
  async observe({ params, ports }) {
    const latest = await latestDataset(ports.metadataStore, params.name);
    return latest === null ? 'none' : datasetReference(latest);
  },
  async run({ params, inputs, inputDigests, outputs, ports, log }) {
    const split = (name: 'train' | 'validation' | 'test') => ({ artifact: inputDigests[name], count: inputs[name].count });
    const dataset = await register(ports.metadataStore, {
      name: params.name,
      splits: { train: split('train'), validation: split('validation'), test: split('test') },
      preference: null,
      card: inputDigests.card,
    });
    log(`${datasetReference(dataset)}: ${inputs.train.count} train, ${inputs.validation.count} validation, ${inputs.test.count} test`);
    await outputs.dataset.write(dataset);
  },
});
