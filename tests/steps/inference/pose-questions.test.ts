import { expect, test } from 'vitest';
import { sha256 } from '../../../src/contracts/digest.ts';
import { registerTraining } from '../../../src/registry/register-training.ts';
import { poseQuestions } from '../../../steps/inference/pose-questions.ts';
import { metadataStore, trainingRun } from '../../support/registry-fixture.ts';
import { runStep } from '../../support/step-rig.ts';

test('puts the champion and the content of the index beside every question', async () => {
  const model = await registerTraining(await metadataStore(), trainingRun(), 'run-1');
  const index = { index: 'documents', generation: 'documents-1', documents: 1, points: 2, setHash: sha256('set') };
  const { outputs } = await runStep(poseQuestions, {
    inputs: { questions: [{ id: '1', question: 'Why?' }], champion: { alias: 'champion', model }, index },
    params: { passages: 2 },
  });
  expect(outputs.questions).toEqual([
    {
      id: '1',
      question: 'Why?',
      model: `twin@${model.version}`,
      weights: model.weights,
      tenant: 'default',
      index: 'documents',
      generation: 'documents-1',
      setHash: sha256('set'),
      passages: 2,
      maxNewTokens: 64,
    },
  ]);
});
