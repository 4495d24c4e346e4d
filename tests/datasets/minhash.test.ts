import fc from 'fast-check';
import { expect, test } from 'vitest';
import { candidateProbability, defaultMinHash, jaccard, nearDuplicatePairs, shinglesOf } from '../../src/datasets/minhash.ts';

test('the S-curve of the default bands is as documented', async () => {
  expect(candidateProbability(0.7, defaultMinHash)).toBeCloseTo(0.975, 3);
  expect(candidateProbability(0.8, defaultMinHash)).toBeCloseTo(0.9996, 4);
  expect(candidateProbability(0.4, defaultMinHash)).toBeCloseTo(0.186, 3);
  expect(candidateProbability(0.75, { bands: 14, rows: 8 })).toBeCloseTo(0.772, 3);
});

test('similarity is the share of members in common', async () => {
  expect(jaccard(Uint32Array.of(1, 2, 3), Uint32Array.of(2, 3, 4))).toBe(0.5);
  expect(jaccard(Uint32Array.of(), Uint32Array.of())).toBe(0);
});

const words = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { maxLength: 30 }).map((list) => list.join(' '));

test('every pair that is reported reaches the threshold, and equal texts with words always are a pair', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(words, { maxLength: 12 }), async (texts) => {
      const shingles = texts.map((text) => shinglesOf(text, 3));
      const pairs = await nearDuplicatePairs(shingles, defaultMinHash);
      for (const [left, right] of pairs)
        expect(jaccard(shingles[left]!, shingles[right]!)).toBeGreaterThanOrEqual(defaultMinHash.threshold);
      const reported = new Set(pairs.map(String));
      const equal = texts.flatMap((text, right) =>
        texts.slice(0, right).flatMap((other, left) => (text !== '' && text === other ? [`${left},${right}`] : [])),
      );
      expect(equal.filter((pair) => !reported.has(pair))).toEqual([]);
    }),
  );
});

test('pairs above the threshold are found about as often as the S-curve says', async () => {
  const base = Array.from({ length: 60 }, (_, index) => `w${index}`);
  let found = 0;
  for (let round = 0; round < 200; round++) {
    const left = base.map((word) => `${word}r${round}`);
    const right = left.with(20, 'other').with(40, 'another');
    const shingles = [left, right].map((list) => shinglesOf(list.join(' '), 3));
    found += (await nearDuplicatePairs(shingles, defaultMinHash)).length;
  }
  // Six of 58 runs differ on each side: similarity 52/64 = 0.81.
  expect(found).toBeGreaterThanOrEqual(197);
});
