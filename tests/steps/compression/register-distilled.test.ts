import { expect, test } from 'vitest';
import type { ResolvedModel } from '../../../src/contracts/registry.ts';
import { comparisonFor } from '../../../src/registry/comparison.ts';
import { modelReference } from '../../../src/registry/models.ts';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { registerDistilledModel } from '../../../steps/compression/register-distilled.ts';
import { metadataStore, trainingRun, trainingSummary } from '../../support/registry-fixture.ts';
import { datasetVersion } from '../../support/samples.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';

const likeness = {
  bytes: 50,
  sourceBytes: 100,
  parameters: 10,
  sourceParameters: 20,
  meanKl: 0.01,
  sameFirstChoice: 0.99,
  tokensPerSecond: { model: 100, compressed: 150 },
};

test('names a candidate that stands on its teacher, and is compared with the SFT version that the teacher came from', async () => {
  const ports = { metadataStore: await metadataStore() };
  const teacher = await registerTraining(ports.metadataStore, trainingRun(), 'run-1');
  const inputs = {
    dataset: datasetVersion(),
    teacher,
    pruning: { ...likeness, meanKl: 0.2, method: 'neurons' as const, share: 0.5, zeros: 0, calibrationRows: 8, libraries: {} },
    model: '/smaller',
    summary: { ...trainingSummary('distill-model'), likeness },
    train: [],
  };
  const { outputs } = await runStep(registerDistilledModel, { inputs, ports, run: 'run-2' });
  const model = (outputs.candidate as ResolvedModel).model!;
  expect(model).toMatchObject({ method: 'distilled', parent: modelReference(teacher), base: teacher.base, adapter: null, toy: true });
  expect(model.compression).toMatchObject({ pruning: 'neurons', prunedMeanKl: 0.2, meanKl: 0.01, bytes: 50 });
  expect(await observeStep(registerDistilledModel, { ports })).toBe(modelReference(model));
  const { names } = await comparisonFor(ports.metadataStore, model, 'champion');
  expect(names).toMatchObject({ base: teacher.base, sft: teacher.parent, candidate: modelReference(model) });
});
