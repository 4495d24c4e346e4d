import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import type { Holder } from '../../src/contracts/run.ts';
import { type PipelineBuilder, defineStep } from '../../src/engine/define.ts';
import { effectsTable, leasesTable } from '../../src/history/tables.ts';
import { engineRig, testHolder } from '../support/engine-rig.ts';

/** The outside state: what an index holds. */
let index: { value: number; broken: boolean };
let synced: number;
beforeEach(() => {
  index = { value: 0, broken: false };
  synced = 0;
});

const state = json('state', z.int());
const sync = defineStep({
  name: 'sync',
  version: 1,
  summary: 'Sync the index',
  params: z.strictObject({ value: z.int().default(7) }),
  inputs: {},
  outputs: { state },
  effect: () => 'index main',
  observe: async () => `value ${index.value}`,
  async run({ params, outputs }) {
    synced++;
    index.value = params.value;
    if (index.broken) throw new Error('connection lost midway');
    await outputs.state.write(index.value);
  },
});
const build = (builder: PipelineBuilder) => builder.step(sync, {});

describe('an effect step', () => {
  test('is up to date while its key and its target are as it left them', async () => {
    const rig = await engineRig();
    expect((await rig.run(build)).outcomes).toEqual({ sync: 'succeeded' });
    expect((await rig.run(build)).outcomes).toEqual({ sync: 'cached' });
    expect(synced).toBe(1);
  });

  test('works again when somebody else changed the target', async () => {
    const rig = await engineRig();
    await rig.run(build);
    index.value = 3;
    expect((await rig.run(build)).outcomes).toEqual({ sync: 'succeeded' });
    expect(index.value).toBe(7);
  });

  test('works again with other params, and again with the first ones, though that key is known', async () => {
    const rig = await engineRig();
    await rig.run(build);
    expect((await rig.run(build, { set: { 'sync.value': 8 } })).outcomes).toEqual({ sync: 'succeeded' });
    expect((await rig.run(build)).outcomes).toEqual({ sync: 'succeeded' });
    expect(index.value).toBe(7);
  });

  test('works again after it failed midway, even where the target looks right', async () => {
    const rig = await engineRig();
    await rig.run(build);
    index.broken = true;
    await rig.run(build, { force: ['sync'] });
    const [record] = await rig.stores.metadata.scan(effectsTable, '', '', 10);
    expect(record?.row).toMatchObject({ state: 'intent', token: null });
    index.broken = false;
    expect((await rig.run(build)).outcomes).toEqual({ sync: 'succeeded' });
    expect(synced).toBe(3);
  });

  test('shares its record with the same step of a used pipeline', async () => {
    const rig = await engineRig();
    await rig.run(build);
    const nightly = { kind: 'pipeline', name: 'feature', summary: 'Feature', inputs: {}, build } as const;
    const { outcomes } = await rig.run((builder) => builder.use(nightly, {}));
    expect(outcomes).toEqual({ 'feature.sync': 'cached' });
  });
});

describe('the lock of a target', () => {
  const other: Holder = { ...testHolder, pid: 99, command: 'twin watch' };
  const held = async () => {
    const rig = await engineRig();
    const row = { holder: other, since: Date.now() - 5_000 };
    await rig.stores.metadata.putMany(leasesTable, [{ key: 'effect/index main', expectedRevision: 0, row, expiresInMs: 60_000 }]);
    return rig;
  };

  test('is waited for, naming its holder, until it is released', async () => {
    const rig = await held();
    const release = () => rig.stores.metadata.putMany(leasesTable, [{ key: 'effect/index main', expectedRevision: null, row: null }]);
    const { outcomes, events } = await rig.run(build, { onEvent: (event) => void (event.type === 'waiting' && release()) });
    expect(outcomes).toEqual({ sync: 'succeeded' });
    const waiting = events.filter((event) => event.type === 'waiting');
    expect(waiting).toHaveLength(1);
    expect(waiting[0]).toMatchObject({ target: 'index main', holder: { pid: 99, command: 'twin watch' } });
    expect(waiting[0]!.heldForMs).toBeGreaterThanOrEqual(5_000);
  });

  test('fails the step at once where it shall not wait', async () => {
    const rig = await held();
    const { end } = await rig.run(build, { noWait: true });
    expect(end.problem).toMatchObject({
      reason: 'locked',
      message: 'index main is held by twin watch (process 99 on here) for 5 s',
      hint: 'Run without --no-wait to wait for it',
      exit: 1,
    });
  });

  test('is taken over at once from a process that is gone', async () => {
    const rig = await held();
    const { outcomes, events } = await rig.run(build, { isDead: (holder) => holder.pid === 99 });
    expect(outcomes).toEqual({ sync: 'succeeded' });
    expect(events.some((event) => event.type === 'waiting')).toBe(false);
  });

  test('stops being waited for when the run is stopped', async () => {
    const rig = await held();
    const controller = new AbortController();
    const { outcomes } = await rig.run(build, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'waiting') controller.abort();
      },
    });
    expect(outcomes).toEqual({ sync: 'cancelled cancelled-by-user' });
    expect(synced).toBe(0);
  });

  test('is held by one step at a time, and by none after the run', async () => {
    let inside = 0;
    const slow = {
      ...sync,
      name: 'slow',
      run: async (context: never) => {
        expect(++inside).toBe(1);
        await new Promise(setImmediate);
        inside--;
        await (context as { outputs: { state: { write(value: number): Promise<void> } } }).outputs.state.write(1);
      },
    };
    const rig = await engineRig();
    const { outcomes } = await rig.run((builder) =>
      [1, 2, 3].map((value) => builder.step(slow, {}, { as: `slow#${value}`, params: { value } })),
    );
    expect(outcomes).toEqual({ 'slow#1': 'succeeded', 'slow#2': 'succeeded', 'slow#3': 'succeeded' });
    expect(await rig.stores.metadata.scan(leasesTable, '', '', 10)).toEqual([]);
  });
});

describe('a step that reads outside state', () => {
  const look = defineStep({
    name: 'look',
    version: 1,
    summary: 'Look at the index',
    params: z.strictObject({}),
    inputs: {},
    outputs: { state },
    observe: async () => `value ${index.value}`,
    run: ({ outputs }) => outputs.state.write(index.value),
  });

  test('works again when that state has changed, and finds what it made of the old one', async () => {
    const rig = await engineRig();
    const run = async () => (await rig.run((builder) => builder.step(look, {}))).outcomes['look'];
    expect(await run()).toBe('succeeded');
    expect(await run()).toBe('cached');
    index.value = 5;
    expect(await run()).toBe('succeeded');
    index.value = 0;
    expect(await run()).toBe('cached');
  });
});
