import { expect, test } from 'vitest';
import { registerDataset } from '../../../src/registry/datasets.ts';
import { moveAlias } from '../../../src/registry/aliases.ts';
import { modelReference } from '../../../src/registry/models.ts';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { openComparison } from '../../../steps/evaluation/open-comparison.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { datasetVersion } from '../../support/samples.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

async function trained() {
  const store = await metadataStore();
  const dataset = await registerDataset(store, datasetVersion());
  const training = { ...trainingRun(), dataset: `instructions@${dataset.version}` };
  return { store, dataset, training, candidate: await registerTraining(store, training, 'run-1') };
}

test('opens the frozen set of the candidate, and the base in the place of a missing incumbent', async () => {
  const { store, dataset, training, candidate } = await trained();
  const { outputs } = await runStep(openComparison, {
    inputs: { candidate: { alias: 'candidate', model: candidate } },
    ports: { metadataStore: store },
  });
  expect(outputs).toMatchObject({
    models: { candidate: modelReference(candidate), incumbent: null },
    candidate: { adopted: training.dpo.weights },
    sft: { adopted: training.sft.weights },
    incumbent: { adopted: training.base.weights },
    items: { adopted: dataset.splits.test.artifact },
  });
});

test('observes the incumbent alone, so that promoting the candidate changes nothing', async () => {
  const { store, candidate } = await trained();
  const ports = { metadataStore: store };
  expect(await observeStep(openComparison, { ports })).toBe('none');
  const move = { model: 'twin', alias: 'champion', who: 'a test', run: null, report: null, reason: 'better' };
  await moveAlias(store, { ...move, expected: null, to: modelReference(candidate) });
  expect(await observeStep(openComparison, { ports })).toBe('none');
});
