import { expect, test } from 'vitest';
import { newRunId } from '../../src/engine/run-id.ts';

test('ids sort by age, also within one second', () => {
  const start = Date.UTC(2026, 10, 22, 3, 15, 42);
  const ids = [0, 3, 40, 250, 251.5, 600, 998, 1000].map((milliseconds) => newRunId(start + milliseconds));
  expect(ids.toSorted()).toEqual(ids);
  expect(ids[0]).toMatch(/^20261122-031542-22[2-9a-z]{2}$/);
});
