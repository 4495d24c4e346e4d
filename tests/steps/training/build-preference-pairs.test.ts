import { expect, test } from 'vitest';
import type { PreferencePair } from '../../../src/contracts/dataset.ts';
import { buildPreferencePairs } from '../../../steps/training/build-preference-pairs.ts';
import { instructionSample, wordsFrom } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const train = ['a', 'b', 'c', 'd'].map((id) =>
  instructionSample({ id, instruction: `What is ${id}?`, answer: `The author says of ${id}: ${wordsFrom(`${id}word`, 6)}.` }),
);

test('pairs every answered sample, counts what gave no pair, and ignores what was not asked', async () => {
  const { outputs, counts } = await runStep(buildPreferencePairs, {
    inputs: {
      train,
      answers: [
        { id: 'a', answer: wordsFrom('model', 9), tokens: 12 },
        { id: 'b', answer: '', tokens: 0 },
        { id: 'c', answer: train[2]!.answer, tokens: 12 },
      ],
    },
  });
  const pairs = outputs['pairs'] as PreferencePair[];
  expect(pairs.map(({ prompt, chosen }) => [prompt, chosen])).toEqual([['What is a?', train[0]!.answer]]);
  expect(counts).toEqual({ 'empty-answer': 1, 'near-equal': 1 });
});

test('answers that are the same once they are cut give one pair', async () => {
  const alike = ['a', 'b'].map((id) =>
    instructionSample({ id, instruction: `What is ${id}?`, answer: `Every article opens with these same words. ${wordsFrom(id, 30)}.` }),
  );
  const answers = alike.map(({ id }) => ({ id, answer: wordsFrom(`${id}m`, 11), tokens: 12 }));
  const { outputs, counts } = await runStep(buildPreferencePairs, { inputs: { train: alike, answers } });
  expect(outputs['pairs']).toMatchObject([{ chosen: 'Every article opens with these same words.' }]);
  expect(counts).toEqual({ 'exact-duplicate': 1 });
});

test('pairs come sorted by id', async () => {
  const answers = train.map(({ id }) => ({ id, answer: wordsFrom(`${id}model`, 9), tokens: 12 }));
  const { outputs } = await runStep(buildPreferencePairs, { inputs: { train, answers } });
  const ids = (outputs['pairs'] as PreferencePair[]).map(({ id }) => id);
  expect(ids).toHaveLength(4);
  expect(ids).toEqual(ids.toSorted());
});
