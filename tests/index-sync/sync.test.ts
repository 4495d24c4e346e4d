import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProblemError } from '../../src/contracts/problem.ts';
import { embeddingTable } from '../../src/index-sync/embedding-cache.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig, type Rig } from './rig.ts';

let folder: string;
let rig: Rig;

beforeEach(async () => {
  folder = await temporaryFolder();
  rig = openRig(folder);
  const opened = rig;
  onTestFinished(() => opened.close());
});

const key = (id: string) => ({ tenant: 'default', id });
const texts = async (): Promise<string[]> => {
  const generation = (await rig.vectorIndex.alias('main'))!;
  const points = await rig.vectorIndex.scroll(generation, '', 100);
  return points.map(({ document }) => document).toSorted();
};
const embeddedTexts = (): string[] => rig.embedder.batches.flat();
const expectClean = async (): Promise<void> => {
  expect((await rig.verify()).examples).toEqual([]);
  expect(await rig.differences()).toEqual([]);
};

describe('an index', () => {
  test('holds the chunks of every document after the first time', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' }), exampleDocument('b', { content: 'three' })]);
    const state = await rig.sync();
    expect(state).toMatchObject({ index: 'main', documents: 2, points: 3, counts: { changes: 2, embedded: 3, 'points-written': 3 } });
    expect(await rig.vectorIndex.alias('main')).toBe(state.generation);
    expect(state.generation).toMatch(/^main-[0-9a-f]{12}$/);
    expect(await texts()).toEqual(['a', 'a', 'b']);
    await expectClean();
  });

  test('is left alone while nothing changes', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
    const { counts: _first, ...state } = await rig.sync();
    const putMany = vi.spyOn(rig.ports.metadataStore, 'putMany');
    const { counts, ...again } = await rig.sync();
    expect(again).toEqual(state);
    expect(counts).toEqual({});
    expect(putMany).not.toHaveBeenCalled();
    expect(rig.embedder.batches).toHaveLength(1);
  });

  test('changes by exactly the chunks of an edited document, and embeds only new text', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo\nthree' }), exampleDocument('b', { content: 'four' })]);
    const before = await rig.sync();
    await rig.documentStore.put([exampleDocument('a', { content: 'one\n2' })]);
    const after = await rig.sync();
    expect(after).toMatchObject({ documents: 2, points: 3, counts: { changes: 1, embedded: 1, 'points-written': 2, 'points-removed': 1 } });
    expect(embeddedTexts().slice(4)).toEqual(['2']);
    expect(after.setHash).not.toBe(before.setHash);
    await expectClean();
  });

  test('loses the points of a deleted document, and gets them back without embedding anew', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' }), exampleDocument('b', { content: 'three' })]);
    const before = await rig.sync();
    await rig.documentStore.delete([key('a')]);
    expect(await rig.sync()).toMatchObject({ documents: 1, points: 1, counts: { 'points-removed': 2 } });
    expect(await texts()).toEqual(['b']);
    await expectClean();
    await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
    const back = await rig.sync();
    expect(back.setHash).toBe(before.setHash);
    expect(back.counts).toMatchObject({ embedded: 0, 'embeddings-cached': 2 });
    await expectClean();
  });

  test('keeps the points of a document that has only vanished from its source', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
    const before = await rig.sync();
    await rig.documentStore.mark([key('a')], true);
    expect((await rig.sync()).setHash).toBe(before.setHash);
    await expectClean();
  });

  test('keeps equal text of two documents apart, and embeds it once', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'same' }), exampleDocument('b', { content: 'same' })]);
    expect(await rig.sync()).toMatchObject({ documents: 2, points: 2, counts: { embedded: 1 } });
    expect(await texts()).toEqual(['a', 'b']);
  });

  test('knows a document without text, which has no points', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: ' ' })]);
    expect(await rig.sync()).toMatchObject({ documents: 1, points: 0, counts: { 'documents-without-points': 1 } });
    await expectClean();
  });

  test('goes from ten chunks to two, none and ten', async () => {
    const lines = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index}`).join('\n') || ' ';
    for (const count of [10, 2, 0, 10]) {
      await rig.documentStore.put([exampleDocument('a', { content: lines(count) })]);
      expect((await rig.sync()).points).toBe(count);
      await expectClean();
    }
    expect(embeddedTexts()).toHaveLength(10);
  });

  test('has a hash of its points that does not depend on how they came', async () => {
    const documents = ['a', 'b', 'c'].map((id) => exampleDocument(id, { content: `${id}1\n${id}2` }));
    await rig.documentStore.put(documents);
    const once = await rig.sync();
    await rig.documentStore.put([exampleDocument('b', { content: 'other' }), exampleDocument('x', { content: 'x' })]);
    await rig.sync();
    await rig.documentStore.put(documents);
    await rig.documentStore.delete([key('x')]);
    expect((await rig.sync()).setHash).toBe(once.setHash);
  });

  test('fills the embedder across documents', async () => {
    await rig.documentStore.put(Array.from({ length: 300 }, (_, index) => exampleDocument(`d${index}`, { content: `text ${index}` })));
    await rig.sync();
    expect(rig.embedder.batches.map((batch) => batch.length).toSorted((one, other) => one - other)).toEqual([44, 128, 128]);
  });

  test('is built beside the old one when its fingerprint changes, out of cached embeddings, and takes its place', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
    const before = await rig.sync();
    const fingerprint = { clean: 'clean-2', chunk: 'chunk-1', tokenizer: 'words', embedder: 'hash-embedder', terms: 'words-1' };
    const after = await rig.sync({ fingerprint });
    expect(after.generation).not.toBe(before.generation);
    expect(after).toMatchObject({ points: 2, setHash: before.setHash, counts: { embedded: 0, 'embeddings-cached': 2 } });
    expect(await rig.vectorIndex.alias('main')).toBe(after.generation);
    expect(await rig.vectorIndex.count(before.generation, 'default')).toBe(2);
    await expectClean();
  });

  test('may lose its embedding cache', async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
    await rig.sync();
    await rig.metadataStore.clear(embeddingTable);
    expect((await rig.sync()).counts).toEqual({});
    await expectClean();
  });

  test('tells how far it has come', async () => {
    await rig.documentStore.put(Array.from({ length: 200 }, (_, index) => exampleDocument(`d${index}`)));
    const progress: (number | undefined)[][] = [];
    await rig.sync({ progress: (done, total) => void progress.push([done, total]) });
    expect(progress.map(([, total]) => total)).toEqual([200, 200]);
    expect(progress.at(-1)).toEqual([200, 200]);
    await rig.documentStore.put([exampleDocument('d7', { content: 'changed' })]);
    await rig.sync({ progress: (done, total) => void progress.push([done, total]) });
    expect(progress.at(-1)).toEqual([1, 1]);
  });
});

describe('a document store that is not the one of before', () => {
  const problemOf = async (): Promise<unknown> =>
    rig.sync().then(
      () => null,
      (error: unknown) => (error as ProblemError).problem,
    );

  beforeEach(async () => {
    await rig.documentStore.put([exampleDocument('a', { content: 'one' }), exampleDocument('b', { content: 'two' })]);
    await rig.sync();
    const { metadataStore, vectorIndex, embedder } = rig;
    await rig.close();
    for (const suffix of ['', '-wal', '-shm']) await rm(join(folder, `documents.db${suffix}`), { force: true });
    rig = openRig(folder);
    Object.assign(rig.ports, { metadataStore, vectorIndex, embedder });
    const opened = rig;
    onTestFinished(() => opened.close());
    await rig.documentStore.put([exampleDocument('a', { content: 'one' }), exampleDocument('c', { content: 'three' })]);
  });

  test('is a gap that a person must decide', async () => {
    expect(await problemOf()).toMatchObject({
      reason: 'gap-detected',
      message: expect.stringMatching(
        /^Changes that the index main has not seen can no longer be read: The cursor belongs to document store/,
      ),
      hint: 'Nothing was changed. See what would be done about it, then have every document read again: twin reconcile',
      exit: 4,
    });
  });

  test('is read anew by a rescan, and what it does not hold goes', async () => {
    const old = (await rig.ports.vectorIndex.alias('main'))!;
    expect(await rig.sync({ rescan: true })).toMatchObject({ generation: `${old}-r1`, documents: 2, points: 2, counts: { embedded: 1 } });
    await expect(rig.ports.vectorIndex.count(old, 'default')).rejects.toThrow('There is no generation');
    expect((await rig.verify()).result).toMatchObject({ documents: 2, points: 2, missing: 0, stale: 0, different: 0 });
    expect((await rig.sync()).counts).toEqual({});
  });
});

test('a rescan of the same store writes nothing that is right, and removes what only the ledger knows', async () => {
  await rig.documentStore.put([exampleDocument('a', { content: 'one' }), exampleDocument('b', { content: 'two' })]);
  const before = await rig.sync();
  const again = await rig.sync({ rescan: true });
  expect(again.setHash).toBe(before.setHash);
  expect(again.counts).toEqual({ changes: 2, embedded: 0, 'embeddings-cached': 0, 'points-written': 0, 'points-removed': 0 });
});

test('a rescan removes points that nobody knows, a page of the index at a time, and looks at no more than a batch of documents at once', async () => {
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line}`).join('\n');
  const document = (id: string) => exampleDocument(id, { content: lines });
  await rig.documentStore.put(['a', 'b', 'c'].map(document));
  const before = await rig.sync();
  const { generation } = before;
  const [known] = await rig.vectorIndex.scroll(generation, '', 1);
  const [hit] = await rig.vectorIndex.searchSparse(generation, 'default', { terms: ['line'], limit: 1 });
  const stranger = (id: string) => ({
    id,
    version: known!.version,
    vector: new Float32Array(8),
    terms: ['x'],
    payload: hit!.payload,
    payloadHash: 'x',
  });
  const strangers = ['00000000-0000-5000-8000-000000000000', 'ffffffff-0000-5000-8000-000000000000'].map(stranger);
  await rig.vectorIndex.upsert(generation, 'default', strangers);
  await rig.vectorIndex.upsert(generation, 'default', [stranger(known!.id)]);
  const asked: number[] = [];
  const { stored, scroll } = rig.ports.vectorIndex;
  Object.assign(rig.ports.vectorIndex, {
    stored: (name: string, ids: readonly string[]) => (asked.push(ids.length), stored.call(rig.ports.vectorIndex, name, ids)),
    scroll: (name: string, after: string, limit: number) => (asked.push(limit), scroll.call(rig.ports.vectorIndex, name, after, limit)),
  });
  const again = await rig.sync({ rescan: true });
  expect(again).toMatchObject({ setHash: before.setHash, counts: { 'points-written': 1, 'points-removed': 2 } });
  expect(Math.max(...asked.filter(Number.isFinite))).toBeLessThanOrEqual(1200);
  expect(await rig.differences()).toEqual([]);
});
