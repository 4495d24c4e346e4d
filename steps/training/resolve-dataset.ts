import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { DatasetVersion } from '../../src/contracts/dataset.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { defineStep } from '../../src/engine/define.ts';
import { datasetReference, latestDataset } from '../../src/registry/datasets.ts';

/** Finds the latest registered version of a dataset. */
export const resolveDataset = defineStep({
  name: 'resolve-dataset',
  version: 1,
  summary: 'Find the latest version of the dataset',
  params: z.strictObject({ name: z.string().default('instructions') }),
  inputs: {},
  outputs: { dataset: json('dataset-version', DatasetVersion) },
  needs: ['metadataStore'],
  async observe({ params, ports }) {
    const latest = await latestDataset(ports.metadataStore, params.name);
    return latest === null ? 'none' : datasetReference(latest);
  },
  async run({ params, ports, outputs }) {
    const latest = await latestDataset(ports.metadataStore, params.name);
    if (latest === null) {
      throw new ProblemError({
        reason: 'no-dataset',
        message: `No version of the dataset '${params.name}' is registered`,
        expected: 'a dataset that passed its gate',
        hint: 'Make one with: twin run dataset-pipeline',
        exit: 1,
      });
    }
    await outputs.dataset.write(latest);
  },
});
