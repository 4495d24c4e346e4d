import { expect, test } from 'vitest';
import { Holder } from '../../src/contracts/run.ts';
import { currentHolder, isDeadForSure } from '../../src/workers/holder.ts';

const holder = currentHolder('twin run');
const gone = { ...holder, start: '1' };

test('the current holder is of the shape that is stored, and alive', () => {
  expect(Holder.parse(holder)).toEqual(holder);
  expect(holder).toMatchObject({ pid: process.pid, command: 'twin run' });
  expect(isDeadForSure(holder)).toBe(false);
});

test('a process of this host, boot and namespace that is gone is dead for sure', () => {
  expect(isDeadForSure(gone)).toBe(true);
});

test.each(['host', 'bootId', 'pidNamespace'] as const)('nothing is sure of a holder with another %s', (part) => {
  expect(isDeadForSure({ ...gone, [part]: 'another' })).toBe(false);
});
