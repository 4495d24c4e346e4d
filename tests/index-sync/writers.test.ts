import { expect, onTestFinished, test } from 'vitest';
import type { SyncPoint } from '../../src/index-sync/apply.ts';
import { applyChanges, type BatchContext } from '../../src/index-sync/change-batch.ts';
import { DeadLetters } from '../../src/index-sync/dead-letters.ts';
import { Ledger } from '../../src/index-sync/ledger.ts';
import { pointId } from '../../src/index-sync/points.ts';
import { Sweeps, writerLeaseMs } from '../../src/index-sync/sweeps.ts';
import { RunningTotals } from '../../src/index-sync/totals.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { lineMaker, openRig, type Rig } from './rig.ts';

const key = { tenant: 'default', id: 'a' };
const change = { key, version: 0 };

/** An index that is in step, and writers that are not the one process that follows the changes: two holders of one job. */
async function openWriters(content: string | null = 'one\ntwo') {
  const rig = openRig(await temporaryFolder());
  onTestFinished(() => rig.close());
  if (content !== null) await rig.documentStore.put([exampleDocument('a', { content })]);
  const { generation } = await rig.sync();
  const context: BatchContext = {
    ...rig.ports,
    generation,
    ledger: new Ledger(rig.metadataStore, generation),
    sweeps: new Sweeps(rig.metadataStore, generation),
    deadLetters: new DeadLetters(rig.metadataStore, generation),
    maker: lineMaker,
    totals: new RunningTotals(),
    terms: (text) => text.split(' '),
  };
  return { rig, generation, context, id: (ordinal: number) => pointId({ tenant: 'default', document: 'a', ordinal }) };
}

/** A writer that sleeps at a point until it is woken. */
function sleeper(context: BatchContext, point: SyncPoint, tries = 1) {
  const asleep = Promise.withResolvers<void>();
  const woken = Promise.withResolvers<void>();
  let slept = 0;
  const ended = applyChanges(
    [change],
    {
      ...context,
      async reached(at) {
        if (at !== point || (slept += 1) > tries) return;
        asleep.resolve();
        await woken.promise;
      },
    },
    () => undefined,
  );
  ended.catch(() => undefined);
  return { asleep: asleep.promise, wake: () => woken.resolve(), ended };
}

/** Differences once everything is swept that was due, totals left out: nobody kept them. */
async function differences(rig: Rig): Promise<readonly string[]> {
  return (await rig.differences()).filter((line) => !line.startsWith('totals'));
}

const points: readonly SyncPoint[] = ['after-read', 'after-embedding', 'after-intent', 'after-upsert', 'after-remove', 'after-applied'];
const contents = [
  ['changed', '1\n2\n3'],
  ['shrunk', 'one'],
  ['emptied', ' '],
  ['changed back', 'one\ntwo'],
] as const;

for (const point of points) {
  test.each(contents)(
    `two holders of one job, the first asleep ${point}, the document %s meanwhile: the newest content stands`,
    async (_, content) => {
      const { rig, context } = await openWriters();
      await rig.documentStore.put([exampleDocument('a', { content: 'first\nread\nby\nthe sleeper' })]);
      const first = sleeper(context, point);
      await first.asleep;
      await rig.documentStore.put([exampleDocument('a', { content })]);
      await applyChanges([change], context, () => undefined);
      first.wake();
      await first.ended;
      expect(await differences(rig)).toEqual([]);
    },
  );
}

test.each(points)('a document deleted while a writer sleeps %s does not come back', async (point) => {
  const { rig, context } = await openWriters();
  await rig.documentStore.put([exampleDocument('a', { content: 'late' })]);
  const first = sleeper(context, point);
  await first.asleep;
  await rig.documentStore.delete([key]);
  await applyChanges([change], context, () => undefined);
  first.wake();
  await first.ended;
  expect(await differences(rig)).toEqual([]);
});

test.each(contents)(
  'totals that another writer changed behind the back of their keeper are counted anew: the document %s',
  async (_, content) => {
    const { rig, context } = await openWriters();
    await rig.documentStore.put([exampleDocument('b', { content: 'another' }), exampleDocument('a', { content })]);
    // Its changes are seen by a process that never moves the cursor: it slept, woke up, and was killed.
    await applyChanges([change, { key: { ...key, id: 'b' }, version: 0 }], context, () => undefined);
    await rig.sync();
    expect(await rig.differences()).toEqual([]);
  },
);

test('a document that nobody had indexed when it went does not come back either', async () => {
  const { rig, context } = await openWriters(null);
  await rig.documentStore.put([exampleDocument('a', { content: 'short-lived' })]);
  const first = sleeper(context, 'after-embedding');
  await first.asleep;
  await rig.documentStore.delete([key]);
  await applyChanges([change], context, () => undefined);
  first.wake();
  await first.ended;
  expect(await differences(rig)).toEqual([]);
});

test('what a superseded writer inserts before it dies is swept once no writer of it can be alive', async () => {
  const { rig, context, generation } = await openWriters('one');
  await rig.documentStore.put([exampleDocument('a', { content: '1\n2\n3' })]);
  const first = sleeper(context, 'after-intent');
  await first.asleep;
  await rig.documentStore.put([exampleDocument('a', { content: 'only' })]);
  await applyChanges([change], context, () => undefined);
  // The sleeper wakes up, writes, and is dead before it learns that it has lost.
  const dying = { ...context.vectorIndex };
  Object.assign(context.vectorIndex, { remove: () => Promise.reject(new Error('dead')) });
  first.wake();
  await expect(first.ended).rejects.toThrow('dead');
  Object.assign(context.vectorIndex, dying);
  expect((await differences(rig)).filter((line) => line.startsWith('stale'))).toHaveLength(2);
  expect(await context.sweeps.run(context.vectorIndex)).toBe(0);
  const later = new Sweeps({ ...rig.metadataStore, now: async () => Date.now() + writerLeaseMs + 1 }, generation);
  expect(await later.run(context.vectorIndex)).toBe(1);
  expect(await differences(rig)).toEqual([]);
});

test('each change delivered three times and shuffled writes every point once', async () => {
  const { rig, context, generation } = await openWriters();
  const ids = Array.from({ length: 40 }, (_, at) => `d${at}`);
  await rig.documentStore.put(ids.map((id) => exampleDocument(id, { content: `text of ${id}` })));
  const counts: Record<string, number> = {};
  const count = (name: string, amount: number) => void (counts[name] = (counts[name] ?? 0) + amount);
  const thrice = [...ids, ...ids, ...ids].toSorted((one, other) => (one + other).localeCompare(other + one) * ((one.length % 2) - 0.5));
  for (let start = 0; start < thrice.length; start += 17) {
    const keys = [...new Set(thrice.slice(start, start + 17))].map((id) => ({ key: { tenant: 'default', id }, version: 0 }));
    await applyChanges(keys, { ...context, count }, () => undefined);
  }
  expect(counts['points-written']).toBe(40);
  expect(await rig.vectorIndex.count(generation, 'default')).toBe(42);
  expect(await differences(rig)).toEqual([]);
});

test('a stale version injected after a new one changes nothing', async () => {
  const { rig, context, generation, id } = await openWriters();
  const [stored] = await rig.vectorIndex.scroll(generation, '', 1);
  await rig.documentStore.put([exampleDocument('a', { content: 'new' })]);
  await applyChanges([change], context, () => undefined);
  const [hit] = await rig.vectorIndex.searchSparse(generation, 'default', { terms: ['new'], limit: 1 });
  const stale = {
    id: id(0),
    version: stored!.version,
    vector: new Float32Array(8),
    terms: [],
    payload: hit!.payload,
    payloadHash: 'stale',
  };
  await rig.vectorIndex.upsert(generation, 'default', [stale]);
  expect(await differences(rig)).toEqual([]);
});

test('equal text in two documents is two points, and losing one leaves the other', async () => {
  const { rig } = await openWriters('same');
  await rig.documentStore.put([exampleDocument('b', { content: 'same' })]);
  expect(await rig.sync()).toMatchObject({ points: 2 });
  await rig.documentStore.delete([key]);
  expect(await rig.sync()).toMatchObject({ points: 1 });
  expect(await rig.differences()).toEqual([]);
});
