import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = openRig(await temporaryFolder());
  const opened = rig;
  onTestFinished(() => opened.close());
});

const letters = async () => {
  const all = [];
  for await (const page of (await rig.deadLetters()).all()) all.push(...page);
  return all;
};

test('a vector that is none puts its document aside, and the others are applied', async () => {
  rig.breakVectorsOf('bad');
  await rig.documentStore.put(['a', 'b', 'c'].map((id) => exampleDocument(id, { content: id === 'b' ? 'fine\nbad' : id })));
  expect(await rig.sync()).toMatchObject({ documents: 2, points: 2, counts: { 'dead-letters': 1 } });
  expect(await letters()).toEqual([
    {
      tenant: 'default',
      document: 'b',
      version: 3,
      cause: {
        reason: 'vector-not-finite',
        message: expect.stringMatching(/^The embedder gave a vector with a value that is no number for point \S+ of document b$/),
        expected: 'finite values',
        found: 'NaN at position 0',
        hint: 'Look at the text that was embedded, and at the log of the embedder; then: twin dlq retry',
      },
      at: expect.any(Number),
      tries: 1,
    },
  ]);
  expect(await rig.differences(new Set(['b']))).toEqual([]);
});

test('a dead letter settles its change: nothing is tried again until it changes', async () => {
  rig.breakVectorsOf('bad');
  await rig.documentStore.put([exampleDocument('a', { content: 'bad' })]);
  await rig.sync();
  expect((await rig.sync()).counts).toEqual({});
  expect(await letters()).toMatchObject([{ tries: 1 }]);
});

test('a later good change clears it, a later bad one counts', async () => {
  rig.breakVectorsOf('bad');
  await rig.documentStore.put([exampleDocument('a', { content: 'bad' })]);
  await rig.sync();
  await rig.documentStore.put([exampleDocument('a', { content: 'still\nbad' })]);
  await rig.sync();
  expect(await letters()).toMatchObject([{ tries: 2, version: 2 }]);
  await rig.documentStore.put([exampleDocument('a', { content: 'good' })]);
  await rig.sync();
  expect(await letters()).toEqual([]);
  expect(await rig.differences()).toEqual([]);
});

test('a document that is deleted has no dead letter any more', async () => {
  rig.breakVectorsOf('bad');
  await rig.documentStore.put([exampleDocument('a', { content: 'bad' })]);
  await rig.sync();
  await rig.documentStore.delete([{ tenant: 'default', id: 'a' }]);
  await rig.sync();
  expect(await letters()).toEqual([]);
  expect(await rig.differences()).toEqual([]);
});

test('what the index held of it before stays', async () => {
  await rig.documentStore.put([exampleDocument('a', { content: 'good' })]);
  const before = await rig.sync();
  rig.breakVectorsOf('bad');
  await rig.documentStore.put([exampleDocument('a', { content: 'bad' })]);
  expect((await rig.sync()).setHash).toBe(before.setHash);
});

test('no vector that is none is kept: an embedder that is mended is asked again', async () => {
  rig.breakVectorsOf('bad');
  await rig.documentStore.put([exampleDocument('a', { content: 'bad' })]);
  await rig.sync();
  rig.breakVectorsOf(null);
  await (await rig.deadLetters()).askRetry([{ tenant: 'default', id: 'a' }]);
  await rig.sync();
  expect(await letters()).toEqual([]);
  expect(await rig.differences()).toEqual([]);
});

test('a document that cannot be cut is put aside, and a cutter that fails for all is a failure of the run', async () => {
  await rig.documentStore.put(['a', 'b', 'c'].map((id) => exampleDocument(id, { content: id })));
  const clean: typeof rig.options.clean = async (document) => {
    if (document.content.includes('b')) throw new Error('cannot be cleaned');
    return rig.options.clean(document);
  };
  expect(await rig.sync({ clean })).toMatchObject({ documents: 2, counts: { 'dead-letters': 1 } });
  expect(await letters()).toMatchObject([{ document: 'b', cause: { reason: 'document-not-chunked', found: 'cannot be cleaned' } }]);
  await rig.documentStore.put(Array.from({ length: 20 }, (_, at) => exampleDocument(`d${at}`, { content: 'b' })));
  await expect(rig.sync({ clean })).rejects.toThrow('cannot be cleaned');
});
