import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { type PipelineBuilder, defineStep } from '../../src/engine/define.ts';
import { engineRig } from '../support/engine-rig.ts';

const lease = json('lease', z.string());
const none = z.strictObject({});
let released: number;
let act: () => unknown;
let release: () => unknown;
beforeEach(() => {
  released = 0;
  act = () => undefined;
  release = () => undefined;
});
const rent = defineStep({
  name: 'rent',
  version: 1,
  summary: 'Rent a machine',
  params: none,
  inputs: {},
  outputs: { lease },
  run: ({ outputs }) => outputs.lease.write('machine 7'),
});
const work = defineStep({
  name: 'work',
  version: 1,
  summary: 'Work on it',
  params: none,
  inputs: { lease },
  outputs: { done: json('done', z.boolean()) },
  async run({ outputs }) {
    await act();
    await outputs.done.write(true);
  },
});
const giveBack = defineStep({
  name: 'give-back',
  version: 1,
  summary: 'Give the machine back',
  params: none,
  inputs: { lease },
  outputs: {},
  async run({ inputs }) {
    await release();
    if (inputs.lease === 'machine 7') released++;
  },
});
const build = (withinMs: number) => (builder: PipelineBuilder) => {
  const rented = builder.step(rent, {});
  builder.step(giveBack, rented, { cleanup: { withinMs } });
  builder.step(work, rented);
};

describe('a step that cleans up', () => {
  test('runs last and every time, though nothing changed', async () => {
    const rig = await engineRig();
    const { outcomes } = await rig.run(build(1000));
    expect(Object.keys(outcomes)).toEqual(['rent', 'work', 'give-back']);
    expect((await rig.run(build(1000))).outcomes).toEqual({ rent: 'cached', work: 'cached', 'give-back': 'succeeded' });
    expect(released).toBe(2);
  });

  test("runs after a failure, which stays the run's", async () => {
    act = () => {
      throw new TypeError('broken');
    };
    const { outcomes, end } = await (await engineRig()).run(build(1000));
    expect(outcomes).toEqual({ rent: 'succeeded', work: 'failed error', 'give-back': 'succeeded' });
    expect(end).toMatchObject({ status: 'failed', problem: { message: 'Step work threw TypeError: broken' } });
  });

  test('runs when the run is stopped', async () => {
    const controller = new AbortController();
    act = () => controller.abort();
    const { outcomes, end } = await (await engineRig()).run(build(1000), { signal: controller.signal });
    expect(outcomes).toEqual({ rent: 'succeeded', work: 'cancelled cancelled-by-user', 'give-back': 'succeeded' });
    expect(end.status).toBe('cancelled');
    expect(released).toBe(1);
  });

  test('has a time of its own, and fails the run where that is over', async () => {
    release = () => new Promise(() => undefined);
    const { outcomes, end } = await (await engineRig()).run(build(20));
    expect(outcomes['give-back']).toBe('failed timed-out');
    expect(end.problem).toMatchObject({ message: 'Step give-back did not clean up in time', expected: 'at most 20 ms (cleanup.withinMs)' });
  });

  test('has nothing to give back where what it reads was never made', async () => {
    const controller = new AbortController();
    controller.abort();
    const rig = await engineRig();
    expect((await rig.run(build(1000), { signal: controller.signal })).outcomes).toEqual({
      rent: 'cancelled cancelled-by-user',
      work: 'cancelled cancelled-by-user',
      'give-back': 'cancelled upstream-failed',
    });
    expect(released).toBe(0);
  });

  test('is read by none that does not clean up', async () => {
    const rig = await engineRig();
    const wrong = (builder: PipelineBuilder) => {
      const rented = builder.step(rent, {}, { cleanup: { withinMs: 1 } });
      builder.step(work, rented);
    };
    await expect(rig.run(wrong)).rejects.toThrow('Step work waits for rent, which cleans up when all others have ended');
  });
});
