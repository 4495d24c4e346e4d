import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { readGeneration } from '../../src/index-sync/generations.ts';
import { dropByHand, rollBackIndex, switchIndex } from '../../src/index-sync/switch-index.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
let [blue, green] = ['', ''];
const syncAs = (clean: string) => rig.sync({ fingerprint: { ...rig.fingerprint, clean } });
const alias = () => rig.vectorIndex.alias('main');

beforeEach(async () => {
  rig = openRig(await temporaryFolder());
  const opened = rig;
  onTestFinished(() => opened.close());
  await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
  blue = (await syncAs('clean-1')).generation;
  green = (await syncAs('clean-2')).generation;
});

test('a rollback gives the index back, and the next run feeds what was left without taking it again', async () => {
  expect(await rollBackIndex('main', rig.ports)).toEqual({ from: green, to: blue });
  expect(await alias()).toBe(blue);
  await rig.documentStore.put([exampleDocument('b', { content: 'three' })]);
  expect(await syncAs('clean-2')).toMatchObject({ generation: blue, counts: { changes: 1 } });
  expect(await alias()).toBe(blue);
  expect(await rig.vectorIndex.count(green, 'default')).toBe(3);
  // Brought in step by its own configuration.
  expect(await syncAs('clean-1')).toMatchObject({ generation: blue, documents: 2 });
  expect(await rig.differences()).toEqual([]);
});

test('a rollback that is called again goes no further back', async () => {
  await syncAs('clean-3');
  const third = (await alias())!;
  expect(await rollBackIndex('main', rig.ports)).toEqual({ from: third, to: green });
  expect(await rollBackIndex('main', rig.ports)).toEqual({ from: third, to: green });
  expect(await alias()).toBe(green);
});

test('a rollback that died after its first note is finished by the next', async () => {
  const { moveAlias } = rig.vectorIndex;
  rig.vectorIndex.moveAlias = () => Promise.reject(new Error('killed'));
  await expect(rollBackIndex('main', rig.ports)).rejects.toThrow('killed');
  rig.vectorIndex.moveAlias = moveAlias;
  expect((await syncAs('clean-2')).generation).toBe(green);
  expect(await rollBackIndex('main', rig.ports)).toEqual({ from: green, to: blue });
  expect(await alias()).toBe(blue);
});

test('what was rolled back serves again when a person says so', async () => {
  await rollBackIndex('main', rig.ports);
  expect(await switchIndex('main', green, rig.ports)).toEqual({ from: blue, to: green });
  expect(await alias()).toBe(green);
  expect((await readGeneration(rig.metadataStore, 'main', blue))?.state).toBe('kept');
  expect((await syncAs('clean-2')).generation).toBe(green);
});

test('there is nothing to go back to from the first generation, or when the one before was dropped', async () => {
  await dropByHand('main', blue, rig.ports);
  await expect(rollBackIndex('main', rig.ports)).rejects.toMatchObject({
    problem: { reason: 'nothing-before', found: `${blue}, which was dropped`, hint: 'See what there is: twin index list' },
  });
  await expect(rollBackIndex('nothing', rig.ports)).rejects.toMatchObject({ problem: { reason: 'no-index' } });
});

test('what readers find is not dropped, and an unknown generation is named with those that there are', async () => {
  await expect(dropByHand('main', green, rig.ports)).rejects.toMatchObject({ problem: { reason: 'index-in-use' } });
  await expect(switchIndex('main', 'main-nope', rig.ports)).rejects.toMatchObject({
    problem: { reason: 'unknown-generation', expected: `${green}, ${blue}`, exit: 2 },
  });
});
