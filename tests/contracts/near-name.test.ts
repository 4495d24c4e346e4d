import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearName } from '../../src/contracts/near-name.ts';

test('counts insertions, deletions and substitutions', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
  expect(editDistance('same', 'same')).toBe(0);
});

test('is a metric', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});

test('finds the name that was meant', () => {
  const known = ['feature-pipeline', 'training-pipeline', 'nightly'];
  expect(nearName('feture-pipeline', known)).toBe('feature-pipeline');
  expect(nearName('Nightly', known)).toBe('nightly');
  expect(nearName('feature', known)).toBe('feature-pipeline');
  expect(nearName('quantize', known)).toBeNull();
});
