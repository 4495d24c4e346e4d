import { expect, test } from 'vitest';
import type { Comparison } from '../../src/contracts/evaluation.ts';
import { decide } from '../../src/metrics/verdict.ts';

const floor = { minimumItems: 10, minimumDocuments: 3 };

function comparison(low: number, value: number, high: number, change: Partial<Comparison> = {}): Comparison {
  return {
    against: 'incumbent',
    difference: { value, low, high, confidence: 0.95 },
    margin: 0.01,
    seed: 7,
    resamples: 1000,
    items: 40,
    documents: 12,
    ...change,
  };
}

test('passes where the whole interval lies within the margin', () => {
  expect(decide(comparison(-0.05, -0.01, 0.008), floor)).toEqual({
    verdict: 'pass',
    reasons: ['candidate - incumbent is -0.0100 bits per byte (95 % interval -0.0500 to +0.0080); the whole interval is at most +0.0100'],
  });
});

test('fails where the whole interval lies above the margin', () => {
  expect(decide(comparison(0.02, 0.05, 0.09), floor)).toEqual({
    verdict: 'fail',
    reasons: ['candidate - incumbent is +0.0500 bits per byte (95 % interval +0.0200 to +0.0900); none of the interval is at most +0.0100'],
  });
});

test('is undecided where the interval holds the margin', () => {
  expect(decide(comparison(-0.02, 0.005, 0.03), floor)).toEqual({
    verdict: 'undecided',
    reasons: [
      'candidate - incumbent is +0.0050 bits per byte (95 % interval -0.0200 to +0.0300); only part of the interval is at most +0.0100, more held-out items would narrow it',
    ],
  });
});

test('is undecided with too few items or documents, however clear the interval', () => {
  expect(decide(comparison(-0.5, -0.4, -0.3, { items: 6, documents: 2 }), floor)).toEqual({
    verdict: 'undecided',
    reasons: ['too little evidence: 6 held-out items from 2 documents, at least 10 items from 3 documents are needed'],
  });
});

test('against its own base a candidate has to be better, not just no worse', () => {
  const base = { against: 'base', margin: 0 } as const;
  expect(decide(comparison(-0.4, -0.3, -0.2, base), floor).verdict).toBe('pass');
  expect(decide(comparison(-0.1, -0.05, 0, base), floor).verdict).toBe('undecided');
  expect(decide(comparison(0.1, 0.2, 0.3, base), floor)).toEqual({
    verdict: 'fail',
    reasons: ['candidate - base is +0.2000 bits per byte (95 % interval +0.1000 to +0.3000); none of the interval is below 0'],
  });
});
