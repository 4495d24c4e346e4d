import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, verdict } from '../../src/contracts/artifact.ts';
import type { Prediction } from '../../src/contracts/plan.ts';
import { type PipelineBuilder, defineStep } from '../../src/engine/define.ts';
import { engineRig } from '../support/engine-rig.ts';

const number = json('number', z.number());
let outside = 'first';
let observed = 0;

const give = defineStep({
  name: 'give',
  version: 1,
  summary: 'Give',
  params: z.strictObject({ value: z.number().default(1), lora: z.strictObject({ rank: z.int().default(16) }).prefault({}) }),
  inputs: {},
  outputs: { number },
  run: ({ params, outputs }) => outputs.number.write(params.value),
});
const take = defineStep({
  name: 'take',
  version: 1,
  summary: 'Take',
  params: z.strictObject({}),
  inputs: { number },
  outputs: { number },
  run: ({ inputs, outputs }) => outputs.number.write(inputs.number + 1),
});
const sync = defineStep({
  name: 'sync',
  version: 1,
  summary: 'Sync',
  params: z.strictObject({}),
  inputs: { number },
  outputs: { number },
  effect: () => 'index',
  async observe() {
    observed++;
    return outside;
  },
  run: ({ inputs, outputs }) => outputs.number.write(inputs.number),
});
const judge = defineStep({
  name: 'judge',
  version: 1,
  summary: 'Judge',
  params: z.strictObject({}),
  inputs: { number },
  outputs: {
    decision: verdict(
      'decision',
      z.strictObject({ verdict: z.enum(['pass', 'refuse', 'fail', 'undecided']), reasons: z.array(z.string()) }),
    ),
  },
  run: ({ inputs, outputs }) => outputs.decision.write({ verdict: inputs.number > 5 ? 'refuse' : 'pass', reasons: [] }),
});
const build = (builder: PipelineBuilder) => {
  const given = builder.step(give, {});
  const synced = builder.step(sync, builder.step(take, given));
  const { decision } = builder.step(judge, synced);
  builder.step(take, given, { as: 'guarded', after: [decision] });
  builder.step(take, given, { as: 'maybe', when: [given.number, (value) => value > 1] });
};

type Rig = Awaited<ReturnType<typeof engineRig>>;

async function predictions(rig: Rig, input: Parameters<Rig['plan']>[1] = {}): Promise<Record<string, Prediction>> {
  const plan = await rig.plan(build, input);
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  return Object.fromEntries(plan.value.steps.map((step) => [step.address, step.prediction]));
}

describe('a plan', () => {
  test('of something new names what runs for the first time and what nobody can know yet', async () => {
    const rig = await engineRig();
    expect(await predictions(rig)).toEqual({
      give: { kind: 'miss', reason: { kind: 'first-time' } },
      take: { kind: 'unknown', until: 'give', changes: [], made: false },
      sync: { kind: 'unknown', until: 'give', changes: [], made: false },
      judge: { kind: 'unknown', until: 'give', changes: [], made: false },
      guarded: { kind: 'unknown', until: 'give', changes: [], made: false },
      maybe: { kind: 'unknown', until: 'give', changes: [], made: false },
    });
    expect(rig.opened).toEqual([]);
    expect(await rig.stores.metadata.streams('', '', 10)).toEqual([]);
  });

  test('after a run predicts hits, and the run agrees', async () => {
    const rig = await engineRig();
    const { end } = await rig.run(build);
    const hit = { kind: 'hit', run: end.run, at: expect.any(Number) as number };
    expect(await predictions(rig)).toEqual({
      give: hit,
      take: hit,
      sync: hit,
      judge: hit,
      guarded: hit,
      maybe: { kind: 'skip', reason: 'condition' },
    });
    expect((await rig.run(build)).outcomes).toEqual({
      give: 'cached',
      take: 'cached',
      sync: 'cached',
      judge: 'cached',
      guarded: 'cached',
      maybe: 'skipped condition',
    });
  });

  test('says which part changed', async () => {
    const rig = await engineRig();
    const { end } = await rig.run(build);
    expect((await predictions(rig, { set: { 'give.lora.rank': 8 } }))['give']).toEqual({
      kind: 'miss',
      reason: { kind: 'changed', run: end.run, changes: [{ part: 'params', name: 'lora.rank', before: 16, after: 8 }] },
    });
    expect((await predictions(rig, { force: ['give'] }))['give']).toEqual({ kind: 'miss', reason: { kind: 'forced' } });
  });

  test('sees that the outside state has changed, and offline asks nobody', async () => {
    outside = 'first';
    const rig = await engineRig();
    await rig.run(build);
    outside = 'second';
    expect((await predictions(rig))['sync']).toEqual({ kind: 'miss', reason: { kind: 'state-changed', before: 'first', after: 'second' } });
    observed = 0;
    expect((await predictions(rig, { offline: true }))['sync']).toEqual({
      kind: 'unobserved',
      message: 'not asked, as --offline asks nobody',
    });
    expect(observed).toBe(0);
  });

  test('does not guess what a step would see behind one that will run', async () => {
    outside = 'first';
    const rig = await engineRig();
    const ordered = (builder: PipelineBuilder) => {
      const given = builder.step(give, {});
      const other = builder.step(give, {}, { as: 'other' });
      builder.step(sync, given, { after: [other.number] });
    };
    await rig.run(ordered);
    const plan = await rig.plan(ordered, { force: ['other'] });
    expect(plan.ok && plan.value.steps.find((step) => step.address === 'sync')?.prediction).toEqual({
      kind: 'unknown',
      until: 'other',
      made: true,
      changes: [],
    });
  });

  test('knows what a refusing gate will skip', async () => {
    const rig = await engineRig();
    const set = { 'give.value': 7 };
    const { outcomes } = await rig.run(build, { set });
    expect(outcomes['guarded']).toBe('skipped gate-refused');
    expect((await predictions(rig, { set }))['guarded']).toEqual({ kind: 'skip', reason: 'gate-refused' });
  });

  test('compares with the same step of another pipeline where it is new here', async () => {
    const rig = await engineRig();
    const { end } = await rig.run(build);
    const outer = {
      kind: 'pipeline',
      name: 'outer',
      summary: 'Outer',
      inputs: {},
      build: (builder: PipelineBuilder) => builder.step(give, {}),
    } as const;
    const plan = await rig.plan(
      { ...outer, name: 'nightly', build: (builder: PipelineBuilder) => builder.use(outer, {}) },
      { set: { 'outer.give.value': 2 } },
    );
    expect(plan.ok && plan.value.steps[0]?.prediction).toEqual({
      kind: 'miss',
      reason: { kind: 'changed', run: end.run, changes: [{ part: 'params', name: 'value', before: 1, after: 2 }] },
    });
  });
});
