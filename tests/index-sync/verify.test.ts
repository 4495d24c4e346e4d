import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { pointId } from '../../src/index-sync/points.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
let generation: string;

beforeEach(async () => {
  rig = openRig(await temporaryFolder());
  const opened = rig;
  onTestFinished(() => opened.close());
  await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' }), exampleDocument('b', { content: 'three' })]);
  ({ generation } = await rig.sync());
});

const id = (document: string, ordinal: number): string => pointId({ tenant: 'default', document, ordinal });
const clean = { type: 'index-verified', documents: 2, points: 3, missing: 0, stale: 0, different: 0 };

test('an index that is as it should be has no differences, and verifying embeds nothing', async () => {
  const batches = rig.embedder.batches.length;
  expect(await rig.verify()).toEqual({ generation, result: clean, examples: [] });
  expect(rig.embedder.batches).toHaveLength(batches);
});

test('a point that went missing behind our back is found', async () => {
  await rig.vectorIndex.remove(generation, 'default', [id('a', 1)], 1e9);
  expect(await rig.verify()).toMatchObject({
    result: { ...clean, missing: 1 },
    examples: [{ kind: 'missing', id: id('a', 1), document: 'a' }],
  });
});

test('a point that nobody put there is found', async () => {
  const [hit] = await rig.vectorIndex.searchSparse(generation, 'default', { terms: ['three'], limit: 1 });
  const stranger = {
    id: 'stranger',
    version: 1,
    vector: new Float32Array(8),
    terms: [],
    payload: { ...hit!.payload, document: 'z' },
    payloadHash: 'x',
  };
  await rig.vectorIndex.upsert(generation, 'default', [stranger]);
  expect(await rig.verify()).toMatchObject({
    result: { ...clean, stale: 1 },
    examples: [{ kind: 'stale', id: 'stranger', document: 'z' }],
  });
});

test('another payload, another vector and another tenant are found', async () => {
  const [hit] = await rig.vectorIndex.searchSparse(generation, 'default', { terms: ['three'], limit: 1 });
  const right = (await rig.vectorIndex.scroll(generation, '', 10)).find((point) => point.document === 'b')!;
  const [vector] = await rig.embedder.embed(['three']);
  const point = {
    id: id('b', 0),
    version: right.version,
    vector: vector!,
    terms: [],
    payload: hit!.payload,
    payloadHash: right.payloadHash,
  };
  for (const [what, tenant, wrong] of [
    ['payload', 'default', { payloadHash: 'x' }],
    ['vector', 'default', { vector: new Float32Array(8) }],
    ['tenant', 'other', {}],
  ] as const) {
    await rig.vectorIndex.upsert(generation, tenant, [{ ...point, ...wrong }]);
    expect((await rig.verify()).examples).toEqual([{ kind: 'different', id: id('b', 0), document: 'b', what }]);
    await rig.vectorIndex.upsert(generation, 'default', [point]);
  }
  expect((await rig.verify()).result).toEqual(clean);
});

test('a ledger that is wrong is found although the index is right', async () => {
  const [row] = await rig.metadataStore.get(`ledger:${generation}`, ['default/b']);
  await rig.metadataStore.putMany(`ledger:${generation}`, [{ key: 'default/b', expectedRevision: null, row: null }]);
  expect((await rig.verify()).examples).toEqual([{ kind: 'different', id: id('b', 0), document: 'b', what: 'ledger' }]);
  const ghost = { ...(row!.row as object), document: 'z', points: [['ghost', 'x']] };
  await rig.metadataStore.putMany(`ledger:${generation}`, [
    { key: 'default/b', expectedRevision: null, row: row!.row },
    { key: 'default/z', expectedRevision: null, row: ghost },
  ]);
  expect((await rig.verify()).examples).toEqual([{ kind: 'stale', id: 'ghost', document: 'z', what: 'ledger' }]);
});

test('changes that are not applied yet are differences', async () => {
  await rig.documentStore.put([exampleDocument('c', { content: 'new' })]);
  await rig.documentStore.delete([{ tenant: 'default', id: 'b' }]);
  expect((await rig.verify()).result).toEqual({ ...clean, missing: 1, stale: 1 });
});

test('an index that was never made is a problem', async () => {
  const other = openRig(await temporaryFolder());
  onTestFinished(() => other.close());
  await expect(other.verify()).rejects.toMatchObject({
    problem: { reason: 'no-index', message: "There is no index 'main' yet", hint: 'Fill it with: twin run feature-pipeline', exit: 1 },
  });
});

test('a rescan writes what is missing and removes what nobody put there, although the ledger says that all is well', async () => {
  const [hit] = await rig.vectorIndex.searchSparse(generation, 'default', { terms: ['three'], limit: 1 });
  const payload = { ...hit!.payload, document: 'z' };
  const stranger = { id: 'stranger', version: 1, vector: new Float32Array(8), terms: [], payload, payloadHash: 'x' };
  await rig.vectorIndex.upsert(generation, 'default', [stranger]);
  await rig.vectorIndex.remove(generation, 'default', [id('a', 1)], 1e9);
  expect((await rig.verify()).result).toEqual({ ...clean, missing: 1, stale: 1 });
  expect((await rig.sync({ rescan: true })).counts).toMatchObject({ 'points-written': 1, 'points-removed': 1, embedded: 0 });
  expect(await rig.verify()).toEqual({ generation, result: clean, examples: [] });
});

test('a sample looks at some documents, finds what is wrong with them, and says how many they were', async () => {
  expect(await rig.verify(10)).toEqual({ generation, result: { ...clean, sample: 2 }, examples: [] });
  expect((await rig.verify(1)).result).toMatchObject({ documents: 1, sample: 1, missing: 0 });
  await rig.vectorIndex.remove(generation, 'default', [id('a', 1)], 1e9);
  expect(await rig.verify(10)).toMatchObject({
    result: { missing: 1, sample: 2 },
    examples: [{ kind: 'missing', id: id('a', 1), document: 'a' }],
  });
});

test('thousands of points are compared bucket by bucket, and each difference is found once', async () => {
  const lines = (n: number) => Array.from({ length: 40 }, (_, line) => `${n} ${line}`).join('\n');
  await rig.documentStore.put(Array.from({ length: 60 }, (_, n) => exampleDocument(`many-${n}`, { content: lines(n) })));
  await rig.sync();
  expect((await rig.verify()).result).toMatchObject({ points: 2403, missing: 0, stale: 0, different: 0 });
  const lost = Array.from({ length: 60 }, (_, n) => id(`many-${n}`, 7));
  await rig.vectorIndex.remove(generation, 'default', lost, 1e9);
  expect((await rig.verify()).result).toMatchObject({ points: 2403, missing: 60, stale: 0, different: 0 });
});
