import { expect, test } from 'vitest';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { resolveCandidate } from '../../../steps/evaluation/resolve-candidate.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { runStep } from '../../support/step-rig.ts';

test('finds what was trained last', async () => {
  const ports = { metadataStore: await metadataStore() };
  const model = await registerTraining(ports.metadataStore, trainingRun(), 'run-1');
  expect((await runStep(resolveCandidate, { ports })).outputs).toEqual({ candidate: { alias: 'candidate', model } });
});

test('says how to get a candidate where there is none', async () => {
  await expect(runStep(resolveCandidate, { ports: { metadataStore: await metadataStore() } })).rejects.toMatchObject({
    problem: { reason: 'no-candidate', hint: 'Train one with: twin run training-pipeline', exit: 1 },
  });
});
