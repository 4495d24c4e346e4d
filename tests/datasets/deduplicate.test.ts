import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findDuplicates } from '../../src/datasets/deduplicate.ts';
import { defaultMinHash } from '../../src/datasets/minhash.ts';
import { wordsFrom } from '../support/dataset-rows.ts';

const find = (texts: Record<string, string>) =>
  findDuplicates(
    Object.entries(texts).map(([id, text]) => ({ id, text })),
    defaultMinHash,
  );

test('of equal words the lowest id stays, whatever the order and the punctuation', async () => {
  expect(await find({ b: 'Chunks fit the embedder.', c: 'chunks fit -- the embedder', a: 'CHUNKS FIT THE EMBEDDER' })).toEqual([
    { id: 'b', reason: 'exact-duplicate', survivor: 'a', similarity: 1 },
    { id: 'c', reason: 'exact-duplicate', survivor: 'a', similarity: 1 },
  ]);
});

test('one changed word in thirty makes a near-duplicate', async () => {
  const text = wordsFrom('w', 30);
  expect(await find({ a: text, b: text.replace('w15', 'changed') })).toEqual([
    { id: 'b', reason: 'near-duplicate', survivor: 'a', similarity: 25 / 31 },
  ]);
});

test('copies of copies are one cluster', async () => {
  const first = wordsFrom('w', 40);
  const second = first.replace('w5 ', 'x ').replace('w30 ', 'x ');
  const third = second.replace('w12 ', 'y ').replace('w20 ', 'y ');
  expect((await find({ a: first, b: second, c: third })).map(({ id, survivor }) => [id, survivor])).toEqual([
    ['b', 'a'],
    ['c', 'a'],
  ]);
});

test('texts without a word are nobody’s duplicate', async () => {
  expect(await find({ a: '---', b: '---', c: '' })).toEqual([]);
});

test('what is left holds no duplicates, and the order of the texts does not matter', async () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 25 }).map((words) => words.join(' '));
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 15 }), async (texts) => {
      const rows = texts.map((each, index) => ({ id: String(index).padStart(2, '0'), text: each }));
      const duplicates = await findDuplicates(rows, defaultMinHash);
      expect(await findDuplicates(rows.toReversed(), defaultMinHash)).toEqual(duplicates);
      const gone = new Set(duplicates.map(({ id }) => id));
      expect(
        await findDuplicates(
          rows.filter(({ id }) => !gone.has(id)),
          defaultMinHash,
        ),
      ).toEqual([]);
    }),
  );
});
