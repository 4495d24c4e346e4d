import { expect, onTestFinished, test } from 'vitest';
import { observeIndex } from '../../src/index-sync/observe.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig } from './rig.ts';

async function syncedRig() {
  const rig = openRig(await temporaryFolder());
  onTestFinished(() => rig.close());
  await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
  await rig.sync();
  return rig;
}

test('an index in step has one token, however often it is asked', async () => {
  const { ports } = await syncedRig();
  expect(await observeIndex('main', ports)).toBe(await observeIndex('main', ports));
});

test('an index that is behind never has the same token twice, so that a late change is not taken for applied', async () => {
  const { ports, documentStore } = await syncedRig();
  const before = await observeIndex('main', ports);
  await documentStore.put([exampleDocument('b', { content: 'two' })]);
  const late = await observeIndex('main', ports);
  expect(late).not.toBe(before);
  expect(await observeIndex('main', ports)).not.toBe(late);
});
