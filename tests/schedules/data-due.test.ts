import { expect, test } from 'vitest';
import type { Cursor } from '../../src/ports/change-feed.ts';
import { dueByData } from '../../src/schedules/data-due.ts';
import { emptyLedger } from '../../src/schedules/ledger.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';
import { scheduleSpec } from '../support/schedules.ts';

/** A feed of a store in which the given documents changed, in this order. */
function feedOf(changed: readonly string[]) {
  const cursorAt = (change: number): Cursor => ({ source: 'store', position: String(change), change });
  return {
    head: async () => cursorAt(changed.length),
    read: async (cursor: Cursor | null, limit: number) => {
      const from = cursor?.change ?? 0;
      const ids = changed.slice(from, from + limit);
      const changes = ids.map((id, at) => ({ key: { tenant: 'default', id }, version: from + at + 1 }));
      return { kind: 'changes' as const, changes, cursor: cursorAt(from + ids.length), more: from + ids.length < changed.length };
    },
  };
}

const ledgerOf = (change: object, position: Cursor | null = null) => ({
  ...emptyLedger('index'),
  spec: scheduleSpec({ cron: null, ...change }),
  position,
});

test('enough documents make a schedule fall due, each counted once however often it changed', async () => {
  const store = memoryMetadataStore();
  const ask = async (changed: readonly string[], position: Cursor | null = null) =>
    (await dueByData(ledgerOf({ afterDocuments: 3 }, position), { feed: feedOf(changed), store }, 0)).due;
  expect(await ask(['a', 'b', 'a', 'b'])).toBeNull();
  expect(await ask(['a', 'b', 'a', 'c'])).toEqual({ trigger: 'documents', key: 'documents store 4' });
  expect(await ask(['a', 'b', 'c', 'd', 'e'], { source: 'store', position: '3', change: 3 })).toBeNull();
});

test('a change that waits for too long makes a schedule fall due, counted from when it was first seen, also by another process', async () => {
  const store = memoryMetadataStore();
  const hour = 3_600_000;
  const ask = async (changed: readonly string[], now: number, position: Cursor | null = null) =>
    (await dueByData(ledgerOf({ afterMs: hour }, position), { feed: feedOf(changed), store }, now)).due?.key ?? null;
  expect(await ask([], 0)).toBeNull();
  expect(await ask(['a'], 10)).toBeNull();
  expect(await ask(['a', 'b'], hour)).toBeNull();
  expect(await ask(['a', 'b'], hour + 10)).toBe('freshness store 2');
  const processed: Cursor = { source: 'store', position: '2', change: 2 };
  expect(await ask(['a', 'b'], 3 * hour, processed)).toBeNull();
  expect(await ask(['a', 'b', 'c'], 4 * hour, processed)).toBeNull();
  expect(await ask(['a', 'b', 'c'], 5 * hour, processed)).toBe('freshness store 3');
});
