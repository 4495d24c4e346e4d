import { expect, test } from 'vitest';
import type { ResolvedModel } from '../../../src/contracts/registry.ts';
import { modelReference } from '../../../src/registry/models.ts';
import { registerCandidate } from '../../../steps/training/register-candidate.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { datasetVersion } from '../../support/samples.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

test('names the DPO version the candidate, with the digests of what it was made from', async () => {
  const ports = { metadataStore: await metadataStore() };
  const { base, sft, dpo } = trainingRun();
  const inputs = {
    dataset: datasetVersion(),
    documents: [],
    choice: { alias: '', model: null },
    base: '/base',
    baseSummary: base.summary,
    train: [],
    sftAdapter: '/sft',
    sftSummary: sft.summary,
    sftModel: '/sft-model',
    sftMerge: sft.merge,
    pairs: [],
    dpoAdapter: '/dpo',
    dpoSummary: dpo.summary,
    dpoModel: '/dpo-model',
    dpoMerge: dpo.merge,
  };
  const { outputs } = await runStep(registerCandidate, { inputs, ports, run: 'run-9' });
  const { model } = outputs.candidate as ResolvedModel;
  expect(model).toMatchObject({ name: 'twin', method: 'dpo', dataset: 'instructions@0123456789ab', toy: true, run: 'run-9' });
  expect(await observeStep(registerCandidate, { ports })).toBe(modelReference(model!));
});
