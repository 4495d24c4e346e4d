import { expect, test } from 'vitest';
import { remainingMs } from '../../src/report/remaining.ts';

const expected = new Map([
  ['read', 1_000],
  ['train', 60_000],
  ['judge', 5_000],
]);

test('what is left of a run is what its steps took before, less what they have done', () => {
  expect(remainingMs(expected, new Map(), new Set(), 0)).toBe(66_000);
  const running = new Map([['train', { startedAt: 10_000, progress: null }]]);
  expect(remainingMs(expected, running, new Set(['read']), 30_000)).toBe(45_000);
  // A step that takes longer than it did is expected to end any moment.
  expect(remainingMs(expected, running, new Set(['read']), 100_000)).toBe(5_000);
});

test('a step that tells its own progress knows better', () => {
  const running = new Map([['train', { startedAt: 10_000, progress: { remainingMs: 90_000 } }]]);
  expect(remainingMs(expected, running, new Set(['read', 'judge']), 30_000)).toBe(90_000);
});

test('where nothing ran before and nothing tells, nothing is said', () => {
  expect(remainingMs(new Map(), new Map([['new', { startedAt: 0, progress: null }]]), new Set(), 5)).toBeNull();
});
