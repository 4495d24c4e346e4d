import { expect, test } from 'vitest';
import { findContamination } from '../../src/datasets/decontaminate.ts';
import { wordsFrom } from '../support/dataset-rows.ts';

const held = { id: 'held', text: wordsFrom('w', 40) };
const words = held.text.split(' ');

test('a shared run of thirteen words contaminates, and its whole length is told', async () => {
  const training = { id: 'train', text: `before ${words.slice(10, 30).join(' ')} after` };
  expect(await findContamination([training], [held], 13)).toEqual([{ id: 'train', heldOut: 'held', longestRun: 20 }]);
});

test('twelve words in common do not', async () => {
  expect(
    await findContamination([{ id: 'train', text: `${words.slice(0, 12).join(' ')} other ${words.slice(20, 32).join(' ')}` }], [held], 13),
  ).toEqual([]);
});

test('a shorter held-out text is looked for whole', async () => {
  const short = { id: 'short', text: 'The answer is forty-two.' };
  expect(await findContamination([{ id: 'train', text: 'So: the answer is forty two, they say' }], [short], 13)).toEqual([
    { id: 'train', heldOut: 'short', longestRun: 5 },
  ]);
  expect(await findContamination([{ id: 'train', text: 'the answer is forty' }], [short], 13)).toEqual([]);
});

test('a held-out text without words contaminates nothing', async () => {
  expect(await findContamination([{ id: 'train', text: '--- any ---' }], [{ id: 'held', text: '---' }], 13)).toEqual([]);
});
