import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../src/contracts/digest.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import { keyTexts } from '../support/key-texts.ts';

/** What every metadata store must do. The factory opens a new, empty store. */
export function metadataStoreConformance(name: string, open: () => Promise<MetadataStore>): void {
  describe(`${name} keeps the contract of a metadata store`, () => {
    let store: MetadataStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const write = async (table: string, key: string, expectedRevision: number | null, row: Json, expiresInMs?: number) =>
      (await store.putMany(table, [{ key, expectedRevision, row, ...(expiresInMs === undefined ? {} : { expiresInMs }) }]))[0];
    const keys = async (prefix: string, after: string, limit: number) =>
      (await store.scan('t', prefix, after, limit)).map(({ key }) => key);

    test('a stream counts its records from 1 and gives them back in order', async () => {
      expect(await store.append('run/a', 0, [{ n: 1 }, { n: 2 }])).toEqual({ ok: true, seq: 2 });
      expect(await store.append('run/a', 2, ['three'], 'power')).toEqual({ ok: true, seq: 3 });
      const records = await store.read('run/a', 0);
      expect(records.map(({ seq, data }) => [seq, data])).toEqual([
        [1, { n: 1 }],
        [2, { n: 2 }],
        [3, 'three'],
      ]);
      expect((await store.read('run/a', 2)).map(({ seq }) => seq)).toEqual([3]);
      expect(await store.read('run/b', 0)).toEqual([]);
    });

    test('a record carries the time of the store', async () => {
      const before = await store.now();
      await store.append('run/a', null, [1]);
      const [record] = await store.read('run/a', 0);
      expect(record!.at).toBeGreaterThanOrEqual(before);
      expect(record!.at).toBeLessThanOrEqual(await store.now());
    });

    test('an append that expects another end of the stream leaves nothing behind', async () => {
      await store.append('run/a', 0, [1]);
      expect(await store.append('run/a', 0, [2, 3])).toEqual({ ok: false, actual: 1 });
      expect(await store.append('run/a', 5, [2, 3])).toEqual({ ok: false, actual: 1 });
      expect(await store.read('run/a', 0)).toHaveLength(1);
    });

    test('an append of nothing tells where the stream ends', async () => {
      expect(await store.append('run/a', null, [])).toEqual({ ok: true, seq: 0 });
      await store.append('run/a', null, [1]);
      expect(await store.append('run/a', null, [])).toEqual({ ok: true, seq: 1 });
    });

    test('of appends that expect the same end, one wins', async () => {
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => store.append('run/a', 0, [n])));
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      expect(await store.read('run/a', 0)).toHaveLength(1);
    });

    test('a thousand appends at once all land, each under its own number', async () => {
      await Promise.all(Array.from({ length: 1000 }, (_, n) => store.append('run/a', null, [n])));
      const records = await store.read('run/a', 0);
      expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1));
      expect(new Set(records.map(({ data }) => data)).size).toBe(1000);
    });

    test('streams are listed by prefix, sorted, page by page', async () => {
      for (const stream of ['run/b', 'run/a', 'job/a', 'run/c', 'runner']) await store.append(stream, null, [1]);
      expect(await store.streams('run/', '', 2)).toEqual(['run/a', 'run/b']);
      expect(await store.streams('run/', 'run/b', 2)).toEqual(['run/c']);
      expect(await store.streams('', '', 10)).toEqual(['job/a', 'run/a', 'run/b', 'run/c', 'runner']);
    });

    test('a row is written if its revision is the expected one, and counts its writes', async () => {
      expect(await write('t', 'k', 0, { a: 1 })).toEqual({ ok: true, revision: 1 });
      expect(await write('t', 'k', 0, { a: 2 })).toEqual({ ok: false, actual: 1 });
      expect(await write('t', 'k', 1, { a: 3 })).toEqual({ ok: true, revision: 2 });
      expect(await write('t', 'k', null, { a: 4 })).toEqual({ ok: true, revision: 3 });
      expect(await write('t', 'other', 7, { a: 5 })).toEqual({ ok: false, actual: 0 });
      expect(await store.get('t', ['k', 'other'])).toEqual([{ key: 'k', revision: 3, row: { a: 4 } }, null]);
    });

    test('one conflict does not hold up the other writes of a call', async () => {
      await write('t', 'b', 0, 'old');
      const outcomes = await store.putMany('t', [
        { key: 'a', expectedRevision: 0, row: 1 },
        { key: 'b', expectedRevision: 0, row: 2 },
        { key: 'c', expectedRevision: 0, row: 3 },
      ]);
      expect(outcomes).toEqual([
        { ok: true, revision: 1 },
        { ok: false, actual: 1 },
        { ok: true, revision: 1 },
      ]);
      expect((await store.get('t', ['a', 'b', 'c'])).map((row) => row?.row)).toEqual([1, 'old', 3]);
    });

    test('a null row deletes, if the revision is the expected one', async () => {
      await write('t', 'k', 0, 'row');
      expect(await write('t', 'k', 9, null)).toEqual({ ok: false, actual: 1 });
      expect(await write('t', 'k', 1, null)).toEqual({ ok: true, revision: 0 });
      expect(await write('t', 'k', null, null)).toEqual({ ok: true, revision: 0 });
      expect(await store.get('t', ['k'])).toEqual([null]);
      expect(await keys('', '', 10)).toEqual([]);
    });

    test('a row that comes back never has a revision that an earlier holder saw', async () => {
      await write('t', 'k', 0, 'first');
      await write('t', 'k', 1, null);
      expect(await write('t', 'k', 0, 'second')).toEqual({ ok: true, revision: 3 });
      expect(await write('t', 'k', 1, 'late')).toEqual({ ok: false, actual: 3 });
    });

    test('an expired row counts as absent, for reads and for writes', async () => {
      await write('t', 'gone', 0, 'row', 0);
      await write('t', 'held', 0, 'row', 3_600_000);
      expect((await store.get('t', ['gone', 'held'])).map((row) => row?.row)).toEqual([undefined, 'row']);
      expect(await keys('', '', 10)).toEqual(['held']);
      expect(await write('t', 'gone', 1, 'renewed')).toEqual({ ok: false, actual: 0 });
      expect(await write('t', 'held', 0, 'taken')).toEqual({ ok: false, actual: 1 });
      expect(await write('t', 'gone', 0, 'taken')).toEqual({ ok: true, revision: 2 });
    });

    test('a write without an expiry ends the one that the row had', async () => {
      await write('t', 'k', 0, 'row', 0);
      await write('t', 'k', null, 'row');
      expect(await keys('', '', 10)).toEqual(['k']);
    });

    test('of writers that expect the same revision, one wins', async () => {
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, n) => write('t', 'lease', 0, { n })));
      expect(outcomes.filter((outcome) => outcome!.ok)).toHaveLength(1);
    });

    test('a scan takes a prefix literally and goes on after a key', async () => {
      for (const key of ['a%', 'a_', 'ab', 'a', 'b', 'A']) await write('t', key, 0, 1);
      expect(await keys('a', '', 10)).toEqual(['a', 'a%', 'a_', 'ab']);
      expect(await keys('a_', '', 10)).toEqual(['a_']);
      expect(await keys('a', 'a%', 1)).toEqual(['a_']);
      expect(await keys('', '', 3)).toEqual(['A', 'a', 'a%']);
      expect(await keys('c', '', 10)).toEqual([]);
    });

    test('a descending scan begins at the greatest key of a prefix and goes on below a key', async () => {
      for (const key of ['a', 'a1', 'a2', 'a3', 'b']) await write('t', key, 0, 1);
      await write('t', 'a9', 0, 'row', 0);
      const down = async (prefix: string, after: string, limit: number) =>
        (await store.scan('t', prefix, after, limit, 'descending')).map((row) => row.key);
      expect(await down('', '', 10)).toEqual(['b', 'a3', 'a2', 'a1', 'a']);
      expect(await down('a', '', 2)).toEqual(['a3', 'a2']);
      expect(await down('a', 'a2', 10)).toEqual(['a1', 'a']);
      expect(await down('', 'a', 10)).toEqual([]);
    });

    test('a scan sorts any keys by their UTF-8 bytes and finds those of a prefix', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(keyTexts, { maxLength: 12 }), keyTexts, async (names, prefix) => {
          await store.clear('t');
          await store.putMany(
            't',
            names.map((key) => ({ key, expectedRevision: 0, row: key })),
          );
          const expected = names
            .filter((key) => key !== '' && key.startsWith(prefix))
            .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect(await keys(prefix, '', 100)).toEqual(expected);
        }),
        { numRuns: 20 },
      );
    });

    test('tables do not see each other, and one can be emptied', async () => {
      await write('t', 'k', 0, 1);
      await write('other', 'k', 0, 2);
      await store.clear('t');
      expect(await store.get('t', ['k'])).toEqual([null]);
      expect(await store.get('other', ['k'])).toEqual([{ key: 'k', revision: 1, row: 2 }]);
    });

    test('any JSON comes back as it was', async () => {
      await fc.assert(
        fc.asyncProperty(fc.jsonValue(), async (row) => {
          const plain = JSON.parse(JSON.stringify(row)) as string;
          await store.append('run/json', null, [plain]);
          expect((await store.read('run/json', 0)).at(-1)!.data).toEqual(plain);
        }),
        { numRuns: 30 },
      );
    });

    test('thousands of rows in one call each get their outcome', async () => {
      const writes = Array.from({ length: 2500 }, (_, n) => ({ key: String(n).padStart(5, '0'), expectedRevision: 0, row: n }));
      expect(await store.putMany('t', writes)).toEqual(writes.map(() => ({ ok: true, revision: 1 })));
      expect(await keys('', '02497', 100)).toEqual(['02498', '02499']);
      expect(
        await store.get(
          't',
          writes.map(({ key }) => key),
        ),
      ).toHaveLength(2500);
    });

    test('purging frees rows that were deleted or had expired before a moment, and no others', async () => {
      await write('t', 'kept', 0, { n: 1 });
      await write('t', 'expiring', 0, { n: 1 }, 1_000_000);
      await write('t', 'deleted', 0, { n: 1 });
      await store.putMany('t', [{ key: 'deleted', expectedRevision: 1, row: null }]);
      await write('u', 'expired', 0, { n: 1 }, 1);
      const later = (await store.now()) + 1000;
      const dry = await store.purge(later, { dryRun: true });
      expect(dry.rows).toBeLessThanOrEqual(2);
      expect(await store.purge(later)).toEqual(dry);
      expect((await store.purge(later)).rows).toBe(0);
      expect(await keys('', '', 10)).toEqual(['expiring', 'kept']);
      expect(await write('t', 'deleted', 0, { n: 2 })).toMatchObject({ ok: true });
      expect(await write('u', 'expired', 0, { n: 2 })).toMatchObject({ ok: true });
    });

    test('what was deleted since the moment keeps its count of revisions', async () => {
      await write('t', 'a', 0, { n: 1 });
      await store.putMany('t', [{ key: 'a', expectedRevision: 1, row: null }]);
      await store.purge(1);
      expect(await write('t', 'a', 0, { n: 2 })).toEqual({ ok: true, revision: 3 });
    });

    test('closing twice is harmless', async () => {
      await store.append('run/a', null, [1]);
      await store.close();
      await expect(store.close()).resolves.toBeUndefined();
    });
  });
}
