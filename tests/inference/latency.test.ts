import { expect, test } from 'vitest';
import { percentiles, timePerOutputToken } from '../../src/inference/latency.ts';

test('the time per output token leaves the first token out', () => {
  expect(timePerOutputToken({ latencyMs: 1000, timeToFirstTokenMs: 100, outputTokens: 10 })).toBe(100);
});

test('a single token has no time per output token', () => {
  expect(timePerOutputToken({ latencyMs: 1000, timeToFirstTokenMs: 100, outputTokens: 1 })).toBeNull();
  expect(timePerOutputToken({ latencyMs: 1000, timeToFirstTokenMs: null, outputTokens: 0 })).toBeNull();
});

test('percentiles are values that occurred', () => {
  expect(percentiles([3, 1, 2, 4])).toEqual({ median: 2, percentile95: 4 });
  expect(percentiles([])).toBeNull();
});
