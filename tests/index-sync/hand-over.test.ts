import { describe, expect, onTestFinished, test } from 'vitest';
import { openInProcessWorkQueue } from '../../src/adapters/work-queue/in-process.ts';
import { changesLane, batchEndLane } from '../../src/index-sync/hand-over.ts';
import { applyRemoteBatch } from '../../src/index-sync/remote-batch.ts';
import { watchChanges } from '../../src/index-sync/watch.ts';
import type { ChangeBatchItem } from '../../src/ports/work-queue.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig } from './rig.ts';

/** A watch with workers that do with a batch what the test says, and forty documents. */
async function watching(work: (item: ChangeBatchItem, end: (refused?: string) => Promise<void>) => Promise<void>) {
  const rig = openRig(await temporaryFolder());
  const queue = openInProcessWorkQueue();
  const stopping = new AbortController();
  const working = new AbortController();
  const [holds, taken, log]: [Set<string>, ChangeBatchItem[], string[]] = [new Set(), [], []];
  const state = { slots: 2 };
  const handle = async (item: ChangeBatchItem): Promise<void> => {
    taken.push(item);
    const end = async (refused?: string): Promise<void> => {
      const done = { kind: 'change-batch-end', batch: item.batch, settled: [], counts: {} } as const;
      const found = refused ? { ...done, refused } : await applyRemoteBatch(item, rig.options, rig.ports);
      await queue.enqueue([found], batchEndLane(item.batch));
    };
    await work(item, end);
  };
  const consumed = queue.consume(async (item) => (item.kind === 'change-batch' ? handle(item) : undefined), {
    concurrency: 2,
    signal: working.signal,
    lane: changesLane('default'),
  });
  await rig.documentStore.put(Array.from({ length: 40 }, (_, n) => exampleDocument(`d${n}`, { content: `one ${n}\ntwo ${n}` })));
  const inStep = Promise.withResolvers<void>();
  const ended = watchChanges(
    {
      ...rig.options,
      workers: { queue, pool: 'default', pipeline: 'feature-pipeline', alive: () => Promise.resolve({ slots: state.slots, holds }) },
      log: (line) => log.push(line),
      stop: stopping.signal,
      status: ({ state: now }) => now === 'in-step' && inStep.resolve(),
    },
    rig.ports,
  );
  ended.catch(inStep.reject);
  onTestFinished(async () => {
    stopping.abort();
    await ended.catch(() => undefined);
    working.abort();
    await consumed;
    await queue.close();
    await rig.close();
  });
  return { rig, taken, holds, log, state, inStep: inStep.promise, stop: () => (stopping.abort(), ended) };
}

describe('changes that a watch hands over', () => {
  test('are applied by workers, and the totals are those of the ledger', async () => {
    const { rig, taken, log, inStep, stop } = await watching((_, end) => end());
    await inStep;
    expect(taken.flatMap(({ changes }) => changes)).toHaveLength(40);
    expect(await rig.differences()).toEqual([]);
    await rig.documentStore.delete([{ tenant: 'default', id: 'd0' }]);
    await expect.poll(() => rig.pointDifferences()).toEqual([]);
    expect(await stop()).toMatchObject({ documents: 39, points: 78 });
    expect(log).toEqual([]);
    expect((await rig.sync()).counts).toEqual({});
  });

  test('are handed over again where a worker died over them, or the queue was emptied', async () => {
    const { rig, taken, log, inStep } = await watching((item, end) => (item.handed === 1 ? Promise.resolve() : end()));
    await inStep;
    expect(taken.map(({ handed }) => handed)).toEqual([1, 1, 2, 2]);
    expect(await rig.differences()).toEqual([]);
    expect(log).toEqual([]);
  }, 20_000);

  test('stay with a worker that says that it is at them, and may be applied twice', async () => {
    const twice = await watching(async ({ batch }, end) => {
      twice.holds.add(batch);
      await new Promise((resolve) => setTimeout(resolve, 7500));
      await end();
      await end();
      twice.holds.delete(batch);
    });
    await twice.inStep;
    expect(twice.taken.map(({ handed }) => handed)).toEqual([1, 1]);
    expect(await twice.rig.differences()).toEqual([]);
  }, 20_000);

  test('wait their turn while all workers are at others', async () => {
    const busy = await watching(async (_, end) => {
      await new Promise((resolve) => setTimeout(resolve, 8000));
      await end();
    });
    for (const other of ['another/1', 'another/2']) busy.holds.add(other);
    await busy.inStep;
    expect(busy.taken.map(({ handed }) => handed)).toEqual([1, 1]);
    expect(busy.log).toEqual([]);
    expect(await busy.rig.differences()).toEqual([]);
  }, 20_000);

  test('are applied here where the last worker is gone', async () => {
    const gone = await watching(() => Promise.resolve(void (gone.state.slots = 0)));
    await gone.inStep;
    expect(gone.log).toEqual(['Changes are applied here, and not by workers of the pool default: none of them is alive any more']);
    expect(await gone.rig.differences()).toEqual([]);
  });

  test('are applied here where a worker makes another index of them, and its reason is told once', async () => {
    const { rig, log, inStep } = await watching((_, end) => end('its code makes another generation'));
    await inStep;
    expect(log).toEqual(['Changes are applied here, and not by workers of the pool default: its code makes another generation']);
    expect(await rig.differences()).toEqual([]);
  });

  test('are refused by a worker whose configuration makes another generation', async () => {
    const rig = openRig(await temporaryFolder());
    onTestFinished(() => rig.close());
    const item = { kind: 'change-batch', batch: 'w/1', handed: 1, pipeline: 'p', generation: 'main-000000000000-r2', changes: [] } as const;
    const { refused } = await applyRemoteBatch(item, rig.options, rig.ports);
    expect(refused).toMatch(/^its code, parameters or models make the generation main-[0-9a-f]{12}, and not main-000000000000-r2$/);
  });
});
