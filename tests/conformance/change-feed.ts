import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, ChangeFeed, Cursor } from '../../src/ports/change-feed.ts';
import type { DocumentStore } from '../../src/ports/document-store.ts';
import { exampleDocument } from '../support/documents.ts';

/** What every change feed must do. The factory opens a new, empty document store and the feed of its changes; called twice in a test it opens two. */
export function changeFeedConformance(
  name: string,
  open: () => Promise<{ readonly documents: DocumentStore; readonly feed: ChangeFeed }>,
): void {
  describe(`${name} keeps the contract of a change feed`, () => {
    let documents: DocumentStore;
    let feed: ChangeFeed;
    beforeEach(async () => {
      ({ documents, feed } = await open());
    });
    afterEach(async () => {
      await feed.close();
      await documents.close();
    });

    const key = (id: string) => ({ tenant: 'default', id });

    /** All changes after a cursor, page by page. */
    async function drain(from: Cursor | null, limit = 3): Promise<{ changes: Change[]; cursor: Cursor }> {
      const changes: Change[] = [];
      for (let cursor = from; ;) {
        const read = await feed.read(cursor, limit);
        if (read.kind !== 'changes') throw new Error(read.message);
        expect(read.changes.length).toBeLessThanOrEqual(limit);
        changes.push(...read.changes);
        cursor = read.cursor;
        if (!read.more) return { changes, cursor };
      }
    }
    const ids = ({ changes }: { changes: Change[] }) => changes.map(({ key }) => key.id);

    test('an empty store has no changes, and a cursor to go on from', async () => {
      const { changes, cursor } = await drain(null);
      expect(changes).toEqual([]);
      await documents.put([exampleDocument('a')]);
      expect(ids(await drain(cursor))).toEqual(['a']);
    });

    test('a reader that waits gets what is changed later', async () => {
      const { cursor } = await drain(null);
      const waiting = feed.read(cursor, 10, { waitMs: 20_000 });
      await documents.put([exampleDocument('a')]);
      expect(await waiting).toMatchObject({ kind: 'changes', changes: [{ key: key('a') }] });
    });

    test('a reader that waits stops when it is told to', async () => {
      const { cursor } = await drain(null);
      const stopping = new AbortController();
      const waiting = feed.read(cursor, 10, { waitMs: 2_000, signal: stopping.signal });
      stopping.abort();
      expect(await waiting).toMatchObject({ kind: 'changes', changes: [] });
    });

    test('lag is told of any cursor', async () => {
      const { behindMs, windowUsed } = await feed.lag((await drain(null)).cursor);
      expect(behindMs).toBeGreaterThanOrEqual(0);
      expect(windowUsed ?? 0).toBeLessThanOrEqual(1);
    });

    test('inserts, updates and deletes are seen in order, and once read do not come again', async () => {
      await documents.put(['a', 'b', 'c', 'd', 'e'].map((id) => exampleDocument(id)));
      const first = await drain(null);
      expect(ids(first)).toEqual(['a', 'b', 'c', 'd', 'e']);
      await documents.put([exampleDocument('b', { content: 'new' }), exampleDocument('a')]);
      await documents.delete([key('d')]);
      const second = await drain(first.cursor);
      expect(ids(second)).toEqual(feed.capabilities.deletes ? ['b', 'd'] : ['b']);
      expect(ids(await drain(second.cursor))).toEqual([]);
    });

    test('a change that was not read yet keeps coming', async () => {
      await documents.put([exampleDocument('a')]);
      expect(ids(await drain(null))).toEqual(['a']);
      expect(ids(await drain(null))).toEqual(['a']);
    });

    test('versions rise, and a later read of the key is not older than its change', async () => {
      await documents.put(['a', 'b'].map((id) => exampleDocument(id)));
      await documents.put([exampleDocument('a', { content: 'new' })]);
      const { changes } = await drain(null);
      expect(changes.map(({ version }) => version)).toEqual(changes.map(({ version }) => version).toSorted((x, y) => x - y));
      for (const change of changes) {
        const [read] = await documents.get([change.key]);
        expect(read!.version).toBeGreaterThanOrEqual(change.version);
      }
    });

    test('a mark is no change', async () => {
      await documents.put([exampleDocument('a')]);
      const { cursor } = await drain(null);
      const head = await feed.head(cursor);
      await documents.mark([key('a')], true);
      expect(ids(await drain(cursor))).toEqual([]);
      expect((await feed.head(cursor))!.change).toBe(head!.change);
    });

    test('the head moves with changes alone, and nothing follows it', async () => {
      const start = (await drain(null)).cursor;
      const change = async (after: Cursor) => (await feed.head(after))!.change;
      await documents.put([exampleDocument('a')]);
      const head = await feed.head(start);
      expect(await change(start)).toBe(head!.change);
      expect(head!.change).not.toBe(start.change);
      const { changes, cursor } = await drain(start);
      expect(ids({ changes })).toEqual(['a']);
      expect(cursor.change).toBe(head!.change);
      expect(ids(await drain(head))).toEqual([]);
      await documents.put([exampleDocument('a')]);
      expect(await change(cursor)).toBe(head!.change);
      await documents.put([exampleDocument('b')]);
      expect(await change(cursor)).not.toBe(head!.change);
      expect(ids(await drain(head))).toEqual(['b']);
    });

    test('a reader that starts over sees every key that there is', async () => {
      await documents.put(['a', 'b', 'c'].map((id) => exampleDocument(id)));
      await documents.delete([key('b')]);
      for (let n = 0; n < 20; n++) await documents.put([exampleDocument('a', { content: String(n) })]);
      const seen = ids(await drain(null));
      expect(seen).toEqual(expect.arrayContaining(['a', 'c']));
      expect(seen.length).toBeLessThanOrEqual(3);
    });

    test('changes made while a first read goes through the documents are seen after it', async () => {
      await documents.put(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => exampleDocument(id)));
      const seen: string[] = [];
      let cursor: Cursor | null = null;
      for (let page = 0; ; page += 1) {
        const read = await feed.read(cursor, 2);
        if (read.kind !== 'changes') throw new Error(read.message);
        seen.push(...read.changes.map(({ key }) => key.id));
        ({ cursor } = read);
        if (page === 1) {
          await documents.put([exampleDocument('a', { content: 'late' }), exampleDocument('g')]);
          await documents.delete([key('b')]);
          seen.length = 0;
        }
        if (!read.more) break;
      }
      expect(seen).toEqual(expect.arrayContaining(feed.capabilities.deletes ? ['a', 'b', 'g'] : ['a', 'g']));
    });

    test('a first read can go on after a death, from the last cursor that was kept', async () => {
      await documents.put(['a', 'b', 'c', 'd'].map((id) => exampleDocument(id)));
      const first = await feed.read(null, 2);
      if (first.kind !== 'changes') throw new Error(first.message);
      const kept = JSON.parse(JSON.stringify(first.cursor)) as Cursor;
      const { changes } = await drain(kept, 2);
      expect(ids({ changes: [...first.changes, ...changes] })).toEqual(['a', 'b', 'c', 'd']);
    });

    test('a cursor of another store is a gap', async () => {
      const other = await open();
      await other.documents.put([exampleDocument('a')]);
      const there = await other.feed.read(null, 10);
      if (there.kind !== 'changes') throw new Error(there.message);
      expect(await feed.read(there.cursor, 10)).toEqual({ kind: 'gap-detected', message: expect.any(String), otherStore: true });
      await other.feed.close();
      await other.documents.close();
    });

    test('whoever follows the feed from any point ends with the store as it is', async () => {
      const change = fc.oneof(
        fc.record({ id: fc.constantFrom('a', 'b', 'c'), content: fc.constantFrom('1', '2') }),
        ...(feed.capabilities.deletes ? [fc.record({ id: fc.constantFrom('a', 'b', 'c'), content: fc.constant(null) })] : []),
        fc.constant('read' as const),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(change, { maxLength: 15 }), async (changes) => {
          const copy = new Map<string, string>();
          const before = feed.capabilities.deletes ? [] : await documents.scan({ limit: 10 });
          for (const { id, content } of before) copy.set(id, content);
          let cursor: Cursor | null = null;
          const follow = async () => {
            const read = await drain(cursor, 2);
            cursor = read.cursor;
            for (const { document, key } of await documents.get(read.changes.map(({ key }) => key))) {
              if (document === null) copy.delete(key.id);
              else copy.set(key.id, document.content);
            }
          };
          for (const change of changes) {
            if (change === 'read') await follow();
            else if (change.content === null) await documents.delete([key(change.id)]);
            else await documents.put([exampleDocument(change.id, { content: change.content })]);
          }
          await follow();
          const stored = await documents.scan({ limit: 10 });
          expect(Object.fromEntries(copy)).toEqual(Object.fromEntries(stored.map(({ id, content }) => [id, content])));
          if (feed.capabilities.deletes) await documents.delete(stored);
        }),
        { numRuns: 20 },
      );
    });

    test('closing twice is harmless', async () => {
      await feed.head(null);
      await feed.close();
      await expect(feed.close()).resolves.toBeUndefined();
    });
  });
}
