import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomFrom, xoshiro128 } from '../../src/metrics/random.ts';

test('the stream is that of the reference implementation of xoshiro128**', () => {
  const random = xoshiro128([1, 2, 3, 4]);
  expect(Array.from({ length: 8 }, () => random.uint32())).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849,
  ]);
});

test('a state of zeros is refused, since it would only ever give zeros', () => {
  expect(() => xoshiro128([0, 0, 0, 0])).toThrow('not all zero');
});

test('equal seeds give equal streams and other seeds give others', () => {
  const stream = (seed: number) => {
    const random = randomFrom(seed);
    return Array.from({ length: 4 }, () => random.uint32());
  };
  expect(stream(7)).toEqual(stream(7));
  expect(stream(7)).not.toEqual(stream(8));
});

test('a bounded integer stays below its bound', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
      const drawn = randomFrom(seed).below(bound);
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true);
    }),
  );
});

test('bounded integers are spread evenly', () => {
  const random = randomFrom(1);
  const counts = new Array<number>(5).fill(0);
  for (let draw = 0; draw < 50_000; draw++) counts[random.below(5)]! += 1;
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
});
