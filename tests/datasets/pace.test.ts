import { expect, test } from 'vitest';
import { pacer } from '../../src/datasets/pace.ts';

test('long work in pieces lets other events through', async () => {
  const pace = pacer(0);
  let through = false;
  setImmediate(() => {
    through = true;
  });
  await pace();
  expect(through).toBe(true);
});

test('short work is not interrupted', async () => {
  const pace = pacer(60_000);
  let through = false;
  setImmediate(() => {
    through = true;
  });
  await pace();
  expect(through).toBe(false);
});
