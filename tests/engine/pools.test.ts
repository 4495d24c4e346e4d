import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import type { Holder } from '../../src/contracts/run.ts';
import { defineMapStep, defineStep } from '../../src/engine/define.ts';
import { acquireSlot, takeTurn } from '../../src/engine/pools.ts';
import { leasesTable } from '../../src/history/tables.ts';
import { showRun } from '../../src/history/runs.ts';
import { engineRig, testHolder } from '../support/engine-rig.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';

let store: ReturnType<typeof memoryMetadataStore>;
let dead: Set<number>;
beforeEach(() => {
  store = memoryMetadataStore();
  dead = new Set();
});
const process = (pid: number): Holder => ({ ...testHolder, pid, command: `twin run ${pid}` });
const client = (pid: number) => ({ store, holder: process(pid), isDead: (holder: Holder) => dead.has(holder.pid) });
const never = new AbortController().signal;
const take = (pid: number, limit: number, log: string[] = [], signal = never) =>
  acquireSlot(
    client(pid),
    'gpu',
    { limit },
    { signal, noWait: false, onWait: (holder) => log.push(`${pid} waits for ${holder.pid}`) },
  ).then((lease) => {
    log.push(`${pid} in`);
    return lease;
  });

describe('the slots of a pool', () => {
  test('are as many as its limit, and whoever waits hears who holds one', async () => {
    const log: string[] = [];
    const first = await take(1, 2, log);
    await take(2, 2, log);
    const third = take(3, 2, log);
    while (!log.includes('3 waits for 1')) await nextTurn();
    expect(log).toEqual(['1 in', '2 in', '3 waits for 1']);
    await first.release();
    await third;
  });

  test('go to those who wait in the order in which they came', async () => {
    const log: string[] = [];
    const holding = await take(1, 1, log);
    const waiting: Promise<{ release(): Promise<void> }>[] = [];
    for (const pid of [2, 3, 4]) {
      waiting.push(take(pid, 1, log));
      while (!log.includes(`${pid} waits for 1`)) await nextTurn();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await holding.release();
    for (const each of waiting) await (await each).release();
    expect(log.filter((line) => line.endsWith('in'))).toEqual(['1 in', '2 in', '3 in', '4 in']);
  });

  test('are free at once where their holder has died, and so is its place in the queue', async () => {
    const log: string[] = [];
    await take(1, 1, log);
    void take(2, 1, log).catch(() => undefined);
    while (!log.includes('2 waits for 1')) await nextTurn();
    dead.add(1).add(2);
    // The process that has died does not go on in this test: only its row is left.
    await store.putMany(leasesTable, [
      { key: 'queue/gpu/0000000000000001-x', expectedRevision: null, row: { holder: process(2), since: 1 } },
    ]);
    await take(3, 1, log);
    expect(log.at(-1)).toBe('3 in');
  });

  test('are not waited for where the run shall not wait', async () => {
    await take(1, 1);
    await expect(acquireSlot(client(2), 'gpu', { limit: 1 }, { signal: never, noWait: true, onWait: () => undefined })).rejects.toThrow(
      /^gpu is held by twin run 1 \(process 1 on here\) for \d+ s$/,
    );
  });

  test('leave nothing behind', async () => {
    const lease = await take(1, 1);
    const impatient = new AbortController();
    const log: string[] = [];
    const waiting = take(2, 1, log, impatient.signal);
    while (log.length === 0) await nextTurn();
    impatient.abort();
    await expect(waiting).rejects.toThrow('aborted');
    await lease.release();
    expect(await store.scan(leasesTable, '', '', 10)).toEqual([]);
  });
});

describe('the rate of a pool', () => {
  const next = async () => ((await store.get(leasesTable, ['rate/api']))[0]!.row as { next: number }).next;

  test('gives a short burst, then spaces what begins', async () => {
    for (let turn = 0; turn < 2; turn++) await takeTurn(client(1), 'api', 60, never);
    const impatient = new AbortController();
    const third = takeTurn(client(2), 'api', 60, impatient.signal);
    await nextTurn();
    impatient.abort();
    await expect(third).rejects.toThrow('aborted');
    expect((await next()) - (await store.now())).toBeGreaterThan(2000);
  });

  test('does not wait for a clock that has been set back', async () => {
    await store.putMany(leasesTable, [{ key: 'rate/api', expectedRevision: null, row: { next: Date.now() + 3_600_000 } }]);
    await takeTurn(client(1), 'api', 60, never);
    expect((await next()) - (await store.now())).toBeLessThan(2000);
  });
});

const number = json('number', z.int());
const items = rows('items', z.strictObject({ id: z.int() }));

test('a step in a pool waits for another process, says so, and its journal calls it queued', async () => {
  const train = defineStep({
    name: 'train',
    version: 1,
    summary: 'Train',
    params: z.strictObject({}),
    inputs: {},
    outputs: { number },
    pool: 'gpu',
    run: ({ outputs }) => outputs.number.write(1),
  });
  const rig = await engineRig({ stores: { metadata: store } });
  const lease = await take(7, 1);
  const states: string[] = [];
  const { outcomes, events } = await rig.run((builder) => builder.step(train, {}), {
    async onEvent(event) {
      if (event.type !== 'waiting') return;
      const [stream] = await store.streams('run/', '', 10);
      for (let state = ''; state !== 'queued';) {
        const shown = await showRun(store, stream!.slice(4));
        state = shown.ok ? shown.value.steps[0]!.state : '';
        await nextTurn();
      }
      states.push('queued');
      await lease.release();
    },
  });
  expect(outcomes).toEqual({ train: 'succeeded' });
  expect(events.find((event) => event.type === 'waiting')).toMatchObject({ target: 'pool gpu', holder: { pid: 7 } });
  expect(states).toEqual(['queued']);
});

test('a map step takes a turn for each row that it computes', async () => {
  const source = defineStep({
    name: 'source',
    version: 1,
    summary: 'Source',
    params: z.strictObject({}),
    inputs: {},
    outputs: { items },
    async run({ outputs }) {
      for (let id = 0; id < 5; id++) await outputs.items.write({ id });
    },
  });
  const ask = defineMapStep({
    name: 'ask',
    version: 1,
    summary: 'Ask',
    params: z.strictObject({}),
    input: items,
    output: items,
    pool: 'api',
    run: ({ row }) => row,
  });
  const rig = await engineRig({ stores: { metadata: store } });
  const startedAt = Date.now();
  await rig.run((builder) => builder.step(ask, builder.step(source, {}).items), { pools: { api: { limit: 1, perMinute: 60_000 } } });
  const [row] = await store.get(leasesTable, ['rate/api']);
  // Five turns of a millisecond each were given out.
  expect(row!.revision).toBe(5);
  expect((row!.row as { next: number }).next).toBeGreaterThan(startedAt);
});
