import { expect, test } from 'vitest';
import { bitsPerByte, lossPerToken, perplexityPerByte, perplexityPerToken, totalsOf } from '../../src/metrics/perplexity.ts';

const items = [
  { negativeLogLikelihood: 10 * Math.log(8), tokens: 10, bytes: 40 },
  { negativeLogLikelihood: 1 * Math.log(2), tokens: 1, bytes: 2 },
];

test('perplexity is that of the corpus, not a mean over its items', () => {
  const totals = totalsOf(items);
  expect(totals).toMatchObject({ tokens: 11, bytes: 42 });
  expect(perplexityPerToken(totals)).toBeCloseTo(2 ** (31 / 11), 9);
  expect(lossPerToken(totals)).toBeCloseTo((31 * Math.LN2) / 11, 9);
});

test('bits per byte divide by bytes and ln 2, so that they compare across tokenizers', () => {
  const totals = totalsOf(items);
  expect(bitsPerByte(totals)).toBeCloseTo(31 / 42, 9);
  expect(perplexityPerByte(totals)).toBeCloseTo(2 ** (31 / 42), 9);
  expect(bitsPerByte({ ...totals, tokens: 1 })).toBe(bitsPerByte(totals));
});

test('the figures of nothing are not a number rather than a good score', () => {
  expect(perplexityPerToken(totalsOf([]))).toBeNaN();
  expect(bitsPerByte(totalsOf([]))).toBeNaN();
});
