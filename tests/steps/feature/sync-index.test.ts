import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { syncIndex } from '../../../steps/feature/sync-index.ts';
import { lineMaker, openRig, type Rig } from '../../index-sync/rig.ts';
import { exampleDocument } from '../../support/documents.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let rig: Rig;
const tokenizer = { identity: 'words', window: 254, count: (text: string) => text.split(' ').length };

beforeEach(async () => {
  rig = openRig(await temporaryFolder());
  const opened = rig;
  onTestFinished(() => opened.close());
});

const run = (identity = 'clean-1', forced = false) =>
  runStep(syncIndex, {
    forced,
    ports: { ...rig.ports, tokenizer },
    rows: { clean: Object.assign(lineMaker.clean, { identity }), chunk: Object.assign(lineMaker.chunk, { identity: 'chunk-1' }) },
  });
const observe = () => observeStep(syncIndex, { ports: { ...rig.ports, tokenizer } });

test('writes what the index holds, and counts what it did', async () => {
  await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
  const { outputs, counts } = await run();
  expect(outputs['index']).toMatchObject({ index: 'documents', documents: 1, points: 2 });
  expect(outputs['verdict']).toMatchObject({ verdict: 'pass', reasons: [], checks: { replaces: null } });
  expect(counts).toMatchObject({ changes: 1, embedded: 2, 'points-written': 2 });
  expect((await run()).outputs).toEqual(outputs);
});

test('is named by how it cleans', async () => {
  await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
  const generationOf = async (identity: string): Promise<unknown> =>
    ((await run(identity)).outputs['index'] as { generation: string }).generation;
  const first = await generationOf('clean-1');
  expect(await generationOf('clean-2')).not.toBe(first);
  expect(await generationOf('clean-1')).toBe(first);
});

test('reads every document again when it is forced, and writes nothing that is right', async () => {
  await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
  await run();
  expect((await run('clean-1', true)).counts).toMatchObject({ changes: 1, embedded: 0, 'points-written': 0 });
});

test('observes changes of the documents and of the index, and nothing else', async () => {
  const empty = await observe();
  await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
  const changed = await observe();
  expect(changed).not.toBe(empty);
  await run();
  const synced = await observe();
  expect(synced).not.toBe(changed);
  await run();
  expect(await observe()).toBe(synced);
  await rig.documentStore.delete([{ tenant: 'default', id: 'a' }]);
  expect(await observe()).not.toBe(synced);
});

test('locks the index that it changes', () => {
  expect(syncIndex.effect?.({ index: 'documents' } as never)).toBe('index:documents');
});
