import { expect, test } from 'vitest';
import { registerDataset } from '../../../src/registry/datasets.ts';
import { resolveDataset } from '../../../steps/training/resolve-dataset.ts';
import { metadataStore } from '../../support/registry-fixture.ts';
import { datasetVersion } from '../../support/samples.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

test('finds the latest version, and observes which one that is', async () => {
  const ports = { metadataStore: await metadataStore() };
  expect(await observeStep(resolveDataset, { ports })).toBe('none');
  const registered = await registerDataset(ports.metadataStore, datasetVersion());
  expect((await runStep(resolveDataset, { ports })).outputs).toEqual({ dataset: registered });
  expect(await observeStep(resolveDataset, { ports })).toBe(`instructions@${registered.version}`);
});

test('says how to get a dataset where there is none', async () => {
  await expect(runStep(resolveDataset, { ports: { metadataStore: await metadataStore() } })).rejects.toMatchObject({
    problem: {
      reason: 'no-dataset',
      message: "No version of the dataset 'instructions' is registered",
      hint: 'Make one with: twin run dataset-pipeline',
      exit: 1,
    },
  });
});
