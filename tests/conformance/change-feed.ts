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
        if (read.kind === 'gap-detected') throw new Error(read.message);
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
      const head = await feed.head();
      await documents.mark([key('a')], true);
      expect(ids(await drain(cursor))).toEqual([]);
      expect(await feed.head()).toEqual(head);
    });

    test('the head moves with changes alone, and nothing follows it', async () => {
      await documents.put([exampleDocument('a')]);
      const head = await feed.head();
      expect(await feed.head()).toEqual(head);
      expect(ids(await drain(head))).toEqual([]);
      await documents.put([exampleDocument('a')]);
      expect(await feed.head()).toEqual(head);
      await documents.put([exampleDocument('b')]);
      expect(await feed.head()).not.toEqual(head);
      expect(ids(await drain(head))).toEqual(['b']);
    });

    test('a reader that starts over sees every key that ever was, also deleted ones', async () => {
      await documents.put(['a', 'b', 'c'].map((id) => exampleDocument(id)));
      await documents.delete([key('b')]);
      for (let n = 0; n < 20; n++) await documents.put([exampleDocument('a', { content: String(n) })]);
      expect(new Set(ids(await drain(null)))).toEqual(new Set(feed.capabilities.deletes ? ['a', 'b', 'c'] : ['a', 'c']));
    });

    test('a cursor of another store is a gap', async () => {
      const other = await open();
      await other.documents.put([exampleDocument('a')]);
      const read = await feed.read(await other.feed.head(), 10);
      expect(read).toEqual({ kind: 'gap-detected', message: expect.any(String) });
      await other.feed.close();
      await other.documents.close();
    });

    test('whoever follows the feed from any point ends with the store as it is', async () => {
      const change = fc.oneof(
        fc.record({ id: fc.constantFrom('a', 'b', 'c'), content: fc.constantFrom('1', '2') }),
        fc.record({ id: fc.constantFrom('a', 'b', 'c'), content: fc.constant(null) }),
        fc.constant('read' as const),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(change, { maxLength: 15 }), async (changes) => {
          const copy = new Map<string, string>();
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
          await documents.delete(stored);
        }),
        { numRuns: 20 },
      );
    });

    test('closing twice is harmless', async () => {
      await feed.head();
      await feed.close();
      await expect(feed.close()).resolves.toBeUndefined();
    });
  });
}
