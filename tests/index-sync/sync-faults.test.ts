import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { SyncPoint } from '../../src/index-sync/apply.ts';
import { Ledger } from '../../src/index-sync/ledger.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig, type Rig } from './rig.ts';

const points: readonly SyncPoint[] = [
  'after-embedding',
  'after-intent',
  'after-upsert',
  'after-remove',
  'after-applied',
  'before-batch',
  'after-read',
  'after-batch',
  'before-cursor',
  'after-cursor',
  'before-alias',
  'after-alias',
];

async function openTestRig(): Promise<Rig> {
  const rig = openRig(await temporaryFolder());
  onTestFinished(() => rig.close());
  return rig;
}

/** Dies at the given occasion of a point; whether it was reached. */
async function dieAt(rig: Rig, point: SyncPoint, occasion = 1): Promise<boolean> {
  let seen = 0;
  try {
    await rig.sync({
      reached(at) {
        if (at === point && (seen += 1) === occasion) throw new Error('killed');
      },
    });
    return false;
  } catch (error) {
    if ((error as Error).message !== 'killed') throw error;
    return true;
  }
}

const key = (id: string) => ({ tenant: 'default', id });

test.each(points)('what died %s is finished by the next time', async (point) => {
  const rig = await openTestRig();
  await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo\nthree' }), exampleDocument('b', { content: 'four' })]);
  if (!point.endsWith('alias')) await rig.sync();
  await rig.documentStore.put([exampleDocument('a', { content: 'one\n2' }), exampleDocument('c', { content: 'five' })]);
  await rig.documentStore.delete([key('b')]);
  expect(await dieAt(rig, point)).toBe(true);
  expect(await rig.sync()).toMatchObject({ documents: 2, points: 3 });
  expect((await rig.verify()).result).toEqual({ type: 'index-verified', documents: 2, points: 3, missing: 0, stale: 0, different: 0 });
  expect(await rig.differences()).toEqual([]);
});

test('a document that changes back after a death in the middle ends as it was', async () => {
  for (const point of points.slice(0, 5)) {
    const rig = await openTestRig();
    await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
    const before = await rig.sync();
    await rig.documentStore.put([exampleDocument('a', { content: '1\n2\n3' })]);
    expect(await dieAt(rig, point)).toBe(true);
    await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
    expect((await rig.sync()).setHash).toBe(before.setHash);
    expect(await rig.differences()).toEqual([]);
  }
});

test('a process whose place was taken while it slept moves no cursor, and what it wrote is in the way of nobody', async () => {
  const rig = await openTestRig();
  await rig.documentStore.put([exampleDocument('a', { content: 'one\ntwo' })]);
  let inside = false;
  const sleeper = rig.sync({
    async reached(point) {
      if (point !== 'after-upsert' || inside) return;
      inside = true;
      await rig.documentStore.put([exampleDocument('a', { content: 'one\n2\n3' })]);
      await rig.sync();
    },
  });
  await expect(sleeper).rejects.toMatchObject({ problem: { reason: 'fenced', exit: 1 } });
  expect(await rig.differences()).toEqual([]);
  expect(await rig.sync()).toMatchObject({ documents: 1, points: 3 });
  expect(await rig.differences()).toEqual([]);
});

test('any history of changes and deaths ends with the index of a store that never knew them', async () => {
  const change = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    lines: fc.option(fc.array(fc.constantFrom('one', 'two', 'three'), { maxLength: 4 })),
    death: fc.option(fc.record({ point: fc.constantFrom(...points), occasion: fc.integer({ min: 1, max: 2 }) })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
      const rig = await openTestRig();
      for (const { id, lines, death } of changes) {
        if (lines) await rig.documentStore.put([exampleDocument(id, { content: lines.join('\n') })]);
        else await rig.documentStore.delete([key(id)]);
        if (death) await dieAt(rig, death.point, death.occasion);
      }
      const { generation: _generation, counts: _counts, ...state } = await rig.sync();
      const fresh = await openTestRig();
      await fresh.documentStore.put(await rig.documentStore.scan({ limit: 10 }));
      const { generation: _, counts: __, ...expected } = await fresh.sync();
      expect(state).toEqual(expected);
      expect(await rig.differences()).toEqual([]);
    }),
    { numRuns: 20 },
  );
});

test('a read older than the ledger is a gap, not a write', async () => {
  const rig = await openTestRig();
  await rig.documentStore.put([exampleDocument('a', { content: 'one' })]);
  const { generation } = await rig.sync();
  const ledger = new Ledger(rig.metadataStore, generation);
  const [row] = await ledger.get([key('a')]);
  await ledger.replace([{ row: row!, entry: { ...row!.entry!, version: 999 } }], 'process');
  await rig.documentStore.put([exampleDocument('a', { content: 'two' })]);
  await expect(rig.sync()).rejects.toMatchObject({ problem: { reason: 'gap-detected', exit: 4 } });
});
