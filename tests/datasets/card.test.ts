import { expect, test } from 'vitest';
import { lengthSummary, tallyCard } from '../../src/datasets/card.ts';
import { DatasetCard } from '../../src/contracts/dataset.ts';
import { instructionSample } from '../support/dataset-rows.ts';

const gate = { verdict: 'pass' as const, checks: ['too-few'], findings: [], reasons: ['3 samples passed 1 checks'] };

test('the card counts splits, lengths, methods and sources, and tells what was dropped', () => {
  const tally = tallyCard();
  tally.add('train', instructionSample({ answer: 'ab😀' }));
  tally.add('train', instructionSample({ answer: 'abcd', document: 'document-0' }));
  tally.add('test', instructionSample({ answer: 'abcde', method: 'back-translation' }));
  const card = tally.card({ dropped: { generate: { 'too-short': 4 } }, gate });
  expect(DatasetCard.parse(card)).toEqual({
    counts: { train: 2, validation: 0, test: 1 },
    lengths: {
      instruction: { minimum: 16, median: 16, percentile95: 16, maximum: 16 },
      answer: { minimum: 3, median: 4, percentile95: 5, maximum: 5 },
    },
    methods: { 'heading-section': 2, 'back-translation': 1 },
    sources: [
      { document: 'document-0', revision: '0'.repeat(64) },
      { document: 'document-1', revision: '0'.repeat(64) },
    ],
    dropped: { generate: { 'too-short': 4 } },
    gate,
  });
});

test('an empty set has no lengths', () => {
  expect(tallyCard().card({ dropped: {}, gate }).lengths).toBeNull();
});

test('the median of an even number of lengths lies between two, the percentile is one of them', () => {
  expect(lengthSummary([4, 1, 3, 2])).toEqual({ minimum: 1, median: 2.5, percentile95: 4, maximum: 4 });
});
