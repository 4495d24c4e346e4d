import { expect, test } from 'vitest';
import { tallyCard } from '../../../src/datasets/card.ts';
import { latestDataset, listDatasets } from '../../../src/registry/datasets.ts';
import { registerDataset } from '../../../steps/dataset/register-dataset.ts';
import { instructionSample } from '../../support/dataset-rows.ts';
import { metadataStore } from '../../support/registry-fixture.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

const card = tallyCard().card({ dropped: {}, gate: { verdict: 'pass', checks: [], findings: [], reasons: ['0 samples passed 0 checks'] } });
const inputs = { card, train: [instructionSample()], validation: [], test: [] };

test('registers the content once, however often it runs', async () => {
  const store = await metadataStore();
  const given = { inputs, ports: { metadataStore: store } };
  expect(await observeStep(registerDataset, given)).toBe('none');
  const { outputs } = await runStep(registerDataset, given);
  await runStep(registerDataset, given);
  const dataset = await latestDataset(store, 'instructions');
  expect(outputs['dataset']).toEqual(dataset);
  expect(dataset).toMatchObject({ name: 'instructions', splits: { train: { count: 1 }, test: { count: 0 } }, preference: null });
  expect(await listDatasets(store, 'instructions')).toHaveLength(1);
  expect(await observeStep(registerDataset, given)).toBe(`instructions@${dataset!.version}`);
});

test('other content is another version', async () => {
  const store = await metadataStore();
  const ports = { metadataStore: store };
  await runStep(registerDataset, { inputs, ports });
  await runStep(registerDataset, { inputs: { ...inputs, train: [instructionSample({ id: 'other' })] }, ports });
  expect(await listDatasets(store, 'instructions')).toHaveLength(2);
});
