import { expect, test } from 'vitest';
import { decontaminateSamples } from '../../../steps/dataset/decontaminate-samples.ts';
import { instructionSample, wordsFrom } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const sample = (id: string, answer: string) => instructionSample({ id, answer, document: `of-${id}` });
const ids = (rows: unknown) => (rows as { id: string }[]).map(({ id }) => id);

test('drops from train what overlaps validation or test, and from validation what overlaps test', async () => {
  const { outputs, counts } = await runStep(decontaminateSamples, {
    inputs: {
      train: [
        sample('train-1', wordsFrom('test', 20)),
        sample('train-2', wordsFrom('valid', 20)),
        sample('train-3', wordsFrom('train', 20)),
      ],
      validation: [sample('validation-1', wordsFrom('test', 30)), sample('validation-2', wordsFrom('valid', 30))],
      test: [sample('test-1', wordsFrom('test', 30))],
    },
  });
  expect(ids(outputs['train'])).toEqual(['train-3']);
  expect(ids(outputs['validation'])).toEqual(['validation-2']);
  expect(outputs['dropped']).toEqual({
    before: 5,
    after: 2,
    reasons: { 'held-out-overlap': 3 },
    examples: [
      { id: 'train-1', reason: 'held-out-overlap', because: 'test-1', document: 'of-train-1' },
      { id: 'train-2', reason: 'held-out-overlap', because: 'validation-2', document: 'of-train-2' },
      { id: 'validation-1', reason: 'held-out-overlap', because: 'test-1', document: 'of-validation-1' },
    ],
  });
  expect(counts).toEqual({ 'held-out-overlap': 3 });
});
