import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { revisionOf } from '../../src/contracts/document.ts';
import type { DocumentKey, DocumentStore } from '../../src/ports/document-store.ts';
import { exampleDocument } from '../support/documents.ts';
import { keyTexts } from '../support/key-texts.ts';

/** What every document store must do. The factory opens a new, empty store; called twice in a test it opens two. */
export function documentStoreConformance(name: string, open: () => Promise<DocumentStore>): void {
  describe(`${name} keeps the contract of a document store`, () => {
    let store: DocumentStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const key = (id: string, tenant = 'default'): DocumentKey => ({ tenant, id });
    const a = exampleDocument('a');

    test('a document comes back with its revision', async () => {
      expect(await store.put([a])).toEqual(['inserted']);
      const [read] = await store.get([key('a')]);
      expect(read).toEqual({ key: key('a'), document: { ...a, revision: revisionOf(a), vanished: false }, version: expect.any(Number) });
      expect(read!.version).toBeLessThanOrEqual(await store.now());
      expect(Number.isSafeInteger(read!.version)).toBe(true);
    });

    test('equal content is unchanged, other content or metadata is an update', async () => {
      await store.put([a]);
      const version = await store.version();
      expect(await store.put([a, { ...a }])).toEqual(['unchanged', 'unchanged']);
      expect(await store.version()).toBe(version);
      expect(await store.put([{ ...a, title: 'A' }, exampleDocument('b'), { ...a, title: 'A' }])).toEqual([
        'updated',
        'inserted',
        'unchanged',
      ]);
      expect(await store.version()).toBeGreaterThan(version);
      expect((await store.get([key('a')]))[0]!.document).toMatchObject({ title: 'A' });
    });

    test('a stored document that is put back is unchanged', async () => {
      await store.put([a]);
      const [read] = await store.get([key('a')]);
      expect(await store.put([read!.document!])).toEqual(['unchanged']);
    });

    test('a key without a document reads as null, and so does another tenant', async () => {
      await store.put([a]);
      const reads = await store.get([key('nothing'), key('a', 'other'), key('a')]);
      expect(reads.map(({ document }) => document?.id ?? null)).toEqual([null, null, 'a']);
    });

    test('a read is never older than a change that was made before it', async () => {
      await store.put([a]);
      const [first] = await store.get([key('a')]);
      await store.put([{ ...a, content: 'other' }]);
      const [second] = await store.get([key('a')]);
      await store.delete([key('a')]);
      const [third] = await store.get([key('a')]);
      expect(second!.version).toBeGreaterThan(first!.version);
      expect(third!.version).toBeGreaterThan(second!.version);
      expect(third!.document).toBeNull();
    });

    test('deleting counts what was there and moves the version only then', async () => {
      await store.put([a, exampleDocument('b')]);
      expect(await store.delete([key('a'), key('nothing')])).toBe(1);
      const version = await store.version();
      expect(await store.delete([key('a')])).toBe(0);
      expect(await store.version()).toBe(version);
      expect(await store.count()).toBe(1);
    });

    test('a mark is set and cleared once, moves the version, and changes no revision', async () => {
      await store.put([a, exampleDocument('b')]);
      const before = await store.version();
      expect(await store.mark([key('a'), key('nothing')], true)).toBe(1);
      const marked = await store.version();
      expect(marked).toBeGreaterThan(before);
      expect((await store.get([key('a')]))[0]!.document).toMatchObject({ vanished: true, revision: revisionOf(a) });
      expect(await store.mark([key('a')], true)).toBe(0);
      expect(await store.version()).toBe(marked);
      expect(await store.mark([key('a')], false)).toBe(1);
      expect(await store.version()).toBeGreaterThan(marked);
      expect((await store.get([key('a')]))[0]!.document).toMatchObject({ vanished: false });
    });

    test('putting a document leaves its mark as it is', async () => {
      await store.put([a]);
      await store.mark([key('a')], true);
      expect(await store.put([a, { ...a, title: 'A' }])).toEqual(['unchanged', 'updated']);
      expect((await store.get([key('a')]))[0]!.document).toMatchObject({ vanished: true });
    });

    test('a scan goes through all documents once, by tenant and id as bytes', async () => {
      const documents = fc
        .sample(fc.record({ tenant: keyTexts, id: keyTexts }), { numRuns: 40, seed: 7 })
        .map(({ tenant, id }) => exampleDocument(id, { tenant }));
      await store.put(documents);
      const seen: DocumentKey[] = [];
      for (;;) {
        const after = seen.at(-1);
        const page = await store.scan({ limit: 7, ...(after === undefined ? {} : { after }) });
        seen.push(...page.map(({ tenant, id }) => ({ tenant, id })));
        if (page.length < 7) break;
      }
      const distinct = [...new Map(documents.map(({ tenant, id }) => [JSON.stringify([tenant, id]), { tenant, id }])).values()];
      const compare = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right));
      expect(seen).toEqual(distinct.toSorted((left, right) => compare(left.tenant, right.tenant) || compare(left.id, right.id)));
      expect(await store.count()).toBe(distinct.length);
    });

    test('a scan can be narrowed to a tenant and to an origin', async () => {
      await store.put([
        exampleDocument('1', { origin: '/x' }),
        exampleDocument('2', { origin: '/y' }),
        exampleDocument('3', { origin: '/x', tenant: 'other' }),
      ]);
      const ids = async (options: { tenant?: string; origin?: string; after?: DocumentKey }) =>
        (await store.scan({ ...options, limit: 10 })).map(({ id }) => id);
      expect(await ids({ tenant: 'default' })).toEqual(['1', '2']);
      expect(await ids({ origin: '/x' })).toEqual(['1', '3']);
      expect(await ids({ origin: '/x', after: key('1') })).toEqual(['3']);
      expect(await ids({ tenant: 'default', origin: '/x' })).toEqual(['1']);
      await store.put([exampleDocument('1', { origin: '/y' })]);
      expect(await ids({ origin: '/x' })).toEqual(['3']);
    });

    test('hundreds of documents in one call each get their outcome', async () => {
      const documents = Array.from({ length: 300 }, (_, n) => exampleDocument(String(n), { content: 'word '.repeat(n) }));
      expect(await store.put(documents)).toEqual(documents.map(() => 'inserted'));
      const reads = await store.get(documents.map(({ id }) => key(id)));
      expect(reads.map(({ document }) => document!.content)).toEqual(documents.map(({ content }) => content));
      expect(await store.delete(documents.map(({ id }) => key(id)))).toBe(300);
    });

    test('a store keeps its identity, and a new one has another', async () => {
      const other = await open();
      expect(await store.identity()).toBe(await store.identity());
      expect(await other.identity()).not.toBe(await store.identity());
      await other.close();
    });

    test('an empty store has a version, no documents, and closes twice', async () => {
      expect(await store.version()).toBeTypeOf('number');
      expect(await store.scan({ limit: 5 })).toEqual([]);
      expect(await store.put([])).toEqual([]);
      await store.close();
      await expect(store.close()).resolves.toBeUndefined();
    });
  });
}
