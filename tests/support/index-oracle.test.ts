import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { pointId } from '../../src/index-sync/points.ts';
import { openRig, type Rig } from '../index-sync/rig.ts';
import { exampleDocument } from './documents.ts';
import { temporaryFolder } from './temporary-folder.ts';

let rig: Rig;
let generation: string;
const id = pointId({ tenant: 'default', document: 'a', ordinal: 0 });

beforeEach(async () => {
  rig = openRig(await temporaryFolder());
  const opened = rig;
  onTestFinished(() => opened.close());
  await rig.documentStore.put([exampleDocument('a', { content: 'one' }), exampleDocument('b', { content: 'two' })]);
  ({ generation } = await rig.sync());
});

test('the oracle has nothing to say about an index in step', async () => {
  expect(await rig.differences()).toEqual([]);
});

test('the oracle sees a lost point, a point too many and a wrong vector, each by itself', async () => {
  const [hit] = await rig.vectorIndex.searchSparse(generation, 'default', { terms: ['one'], limit: 1 });
  const stored = (await rig.vectorIndex.scroll(generation, '', 10)).find((point) => point.id === id);
  const point = { id, version: 2, vector: new Float32Array(8), terms: [], payload: hit!.payload, payloadHash: stored!.payloadHash };
  await rig.vectorIndex.remove(generation, 'default', [id], 2);
  expect(await rig.differences()).toEqual([expect.stringMatching(/^missing: point /)]);
  await rig.vectorIndex.upsert(generation, 'default', [point]);
  expect(await rig.differences()).toEqual([expect.stringMatching(/^different: point /)]);
  await rig.sync({ rescan: true });
  await rig.vectorIndex.upsert(generation, 'default', [{ ...point, id: 'stranger' }]);
  expect(await rig.differences()).toEqual([expect.stringMatching(/^stale: point stranger /)]);
});

test('the oracle sees a ledger that does not know what the index holds, and an intent that nobody resolved', async () => {
  const table = `ledger:${generation}`;
  const [row] = await rig.metadataStore.get(table, ['default/a']);
  await rig.metadataStore.putMany(table, [{ key: 'default/a', expectedRevision: null, row: { ...(row!.row as object), state: 'intent' } }]);
  expect(await rig.differences()).toContain('ledger: the intent of a was never resolved');
  await rig.metadataStore.putMany(table, [{ key: 'default/a', expectedRevision: null, row: null }]);
  expect(await rig.differences()).toEqual([expect.stringMatching(/^ledger: point .* has payload undefined/)]);
});

test('the oracle sees documents that the index has not heard of', async () => {
  await rig.documentStore.put([exampleDocument('c', { content: 'three' })]);
  expect(await rig.differences()).toEqual([
    expect.stringMatching(/^missing: point /),
    expect.stringMatching(/^ledger: point /),
    'totals: 2 points, and there should be 3',
    'totals: 2 documents, and there should be 3',
  ]);
});
