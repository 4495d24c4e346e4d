import { expect, test } from 'vitest';
import { decontaminateSamples, deduplicateSamples } from '../../src/datasets/curation.ts';
import { defaultMinHash } from '../../src/datasets/minhash.ts';
import { instructionSample, wordsFrom } from '../support/dataset-rows.ts';

const sample = (id: string, instruction: string, answer: string) => instructionSample({ id, instruction, answer });

test('copies and repeated instructions go, the lowest id stays, and the report tells why', async () => {
  const samples = [
    sample('d', 'Fourth?', wordsFrom('d', 30)),
    sample('c', 'what is FIRST', wordsFrom('c', 30)),
    sample('b', 'Second?', wordsFrom('a', 30)),
    sample('a', 'What is first?', wordsFrom('a', 30)),
  ];
  const { kept, report } = await deduplicateSamples(samples, defaultMinHash);
  expect(kept.map(({ id }) => id)).toEqual(['a', 'd']);
  expect(report).toEqual({
    before: 4,
    after: 2,
    reasons: { 'exact-duplicate': 1, 'repeated-instruction': 1 },
    examples: [
      { id: 'b', reason: 'exact-duplicate', because: 'a', document: 'document-1' },
      { id: 'c', reason: 'repeated-instruction', because: 'a', document: 'document-1' },
    ],
  });
});

test('a sample that went as a duplicate takes no other with it for its instruction', async () => {
  const samples = [
    sample('a', 'One?', wordsFrom('a', 30)),
    sample('b', 'Two?', wordsFrom('a', 30)),
    sample('c', 'Two?', wordsFrom('c', 30)),
  ];
  expect((await deduplicateSamples(samples, defaultMinHash)).kept.map(({ id }) => id)).toEqual(['a', 'c']);
});

test('training samples that overlap held-out ones go', async () => {
  const held = sample('held', 'Held?', wordsFrom('w', 40));
  const overlapping = sample('train-1', 'Train?', `so ${wordsFrom('w', 20)} end`);
  const clean = sample('train-2', 'Train too?', wordsFrom('x', 40));
  expect(await decontaminateSamples([overlapping, clean], [held], 13)).toEqual({
    kept: [clean],
    report: {
      before: 2,
      after: 1,
      reasons: { 'held-out-overlap': 1 },
      examples: [{ id: 'train-1', reason: 'held-out-overlap', because: 'held', document: 'document-1' }],
    },
  });
});
