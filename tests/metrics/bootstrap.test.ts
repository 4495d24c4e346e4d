import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pairedBootstrap, quantile } from '../../src/metrics/bootstrap.ts';
import { randomFrom } from '../../src/metrics/random.ts';

const options = { resamples: 1000, seed: 7, confidence: 0.95 };
const ratio = (sums: Float64Array): number => sums[0]! / sums[1]!;

test('the difference is that of the corpus figures, not of a mean over items', () => {
  const items = [
    { cluster: 'a', candidate: [10, 100], opponent: [20, 100] },
    { cluster: 'b', candidate: [9, 1], opponent: [9, 1] },
  ];
  expect(pairedBootstrap(items, ratio, options).value).toBeCloseTo(19 / 101 - 29 / 101, 12);
});

test('the same seed gives the same interval, another seed another one', () => {
  const items = Array.from({ length: 30 }, (_, index) => ({ cluster: `d${index}`, candidate: [index % 7, 10], opponent: [index % 5, 10] }));
  const interval = pairedBootstrap(items, ratio, options);
  expect(pairedBootstrap(items.toReversed(), ratio, options)).toEqual(interval);
  expect(pairedBootstrap(items, ratio, { ...options, seed: 8 })).not.toEqual(interval);
});

test('items of one document are drawn together: one document leaves nothing to vary', () => {
  const items = Array.from({ length: 30 }, (_, index) => ({ cluster: 'same', candidate: [index % 7, 10], opponent: [index % 5, 10] }));
  const interval = pairedBootstrap(items, ratio, options);
  expect(interval.low).toBe(interval.value);
  expect(interval.high).toBe(interval.value);
});

test('a model compared with itself differs by exactly nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(50), fc.integer({ min: 1, max: 50 })), { minLength: 1, maxLength: 20 }),
      (rows) => {
        const items = rows.map(([cluster, loss, size]) => ({ cluster, candidate: [loss, size], opponent: [loss, size] }));
        expect(pairedBootstrap(items, ratio, options)).toMatchObject({ value: 0, low: 0, high: 0 });
      },
    ),
    { numRuns: 20 },
  );
});

test('the 95 % interval holds the true difference about 95 times in a hundred', () => {
  const random = randomFrom(11);
  let held = 0;
  for (let experiment = 0; experiment < 200; experiment++) {
    const items = Array.from({ length: 60 }, (_, index) => ({
      cluster: `d${index}`,
      candidate: [random.below(101), 1],
      opponent: [random.below(101), 1],
    }));
    const { low, high } = pairedBootstrap(items, ratio, { ...options, seed: experiment });
    if (low <= 0 && 0 <= high) held += 1;
  }
  expect(held).toBeGreaterThanOrEqual(181);
  expect(held).toBeLessThanOrEqual(198);
});

test('fewer than 1,000 resamples, or no item, is a mistake of the caller', () => {
  expect(() => pairedBootstrap([{ cluster: 'a', candidate: [1], opponent: [1] }], ratio, { ...options, resamples: 999 })).toThrow(
    '1,000 resamples',
  );
  expect(() => pairedBootstrap([], ratio, options)).toThrow('needs an item');
});

test('quantiles interpolate as NumPy does', () => {
  const values = [1, 2, 4, 8, 16];
  expect(quantile(values, 0.025)).toBeCloseTo(1.1, 12);
  expect(quantile(values, 0.5)).toBe(4);
  expect(quantile(values, 0.95)).toBeCloseTo(14.4, 12);
  expect(quantile(values, 1)).toBe(16);
});
