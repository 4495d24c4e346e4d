import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitOf } from '../../src/datasets/split.ts';

const shares = { validation: 0.1, test: 0.2, salt: '' };

test('the split depends on the document alone, for ever', () => {
  expect(['readme', 'architecture', 'changelog', 'contributing', 'guide', 'notes', 'plan'].map((id) => splitOf(id, shares)))
    .toMatchInlineSnapshot(`
    [
      "train",
      "test",
      "train",
      "train",
      "train",
      "train",
      "test",
    ]
  `);
});

test('the shares are kept about', () => {
  const counts = { train: 0, validation: 0, test: 0 };
  for (let id = 0; id < 10_000; id++) counts[splitOf(String(id), shares)] += 1;
  expect(Math.abs(counts.test - 2000)).toBeLessThan(120);
  expect(Math.abs(counts.validation - 1000)).toBeLessThan(100);
});

test('a larger test share takes documents in and gives none back', () => {
  fc.assert(
    fc.property(fc.string(), (id) => {
      const before = splitOf(id, shares);
      const after = splitOf(id, { ...shares, test: 0.4 });
      expect(after === 'test' || (before !== 'test' && after === before) || before === 'train').toBe(true);
    }),
  );
});

test('no share holds nothing, the whole holds everything', () => {
  expect(splitOf('x', { validation: 0, test: 0, salt: '' })).toBe('train');
  expect(splitOf('x', { validation: 0, test: 1, salt: '' })).toBe('test');
});
