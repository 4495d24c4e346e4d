import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import type { Prediction } from '../../src/contracts/plan.ts';
import { type PipelineBuilder, defineMapStep, defineStep } from '../../src/engine/define.ts';
import { estimateRun, expectedMs } from '../../src/engine/estimate.ts';
import { buildGraph } from '../../src/engine/graph.ts';
import { paces } from '../../src/history/paces.ts';
import { engineRig } from '../support/engine-rig.ts';

const numbers = rows('numbers', z.strictObject({ number: z.int() }));
const read = defineStep({
  name: 'read',
  version: 1,
  summary: 'Read',
  params: z.strictObject({ count: z.int().default(4) }),
  inputs: {},
  outputs: { numbers },
  async run({ params, outputs }) {
    for (let number = 0; number < params.count; number++) await outputs.numbers.write({ number });
  },
});
const double = defineMapStep({
  name: 'double',
  version: 1,
  summary: 'Double',
  params: z.strictObject({ by: z.int().default(2) }),
  input: numbers,
  output: numbers,
  run: ({ row, params }) => ({ number: row.number * params.by }),
});
const build = (builder: PipelineBuilder) => void builder.step(double, builder.step(read, {}).numbers);

describe('a plan', () => {
  test('says how many rows are to be computed, of how many', async () => {
    const rig = await engineRig();
    const double = async (input: Parameters<typeof rig.plan>[1]) => {
      const plan = await rig.plan(build, input);
      return plan.ok ? plan.value.steps.find((step) => step.address === 'double') : undefined;
    };
    await rig.run(build);
    expect(await double({})).toMatchObject({ prediction: { kind: 'hit' }, rows: null, expectedMs: 0 });
    await rig.run(build, { to: 'read', set: { 'read.count': 6 } });
    expect(await double({ set: { 'read.count': 6 } })).toMatchObject({ prediction: { kind: 'miss' }, rows: { redo: 2, total: 6 } });
    expect(await double({ set: { 'double.by': 3 } })).toMatchObject({ prediction: { kind: 'miss' }, rows: { redo: 4, total: 4 } });
    expect(await double({ force: ['double'] })).toMatchObject({ rows: { redo: 4, total: 4 } });
    // Its own part of the key changed, so all rows that it had are computed, whatever the step before it makes.
    expect(await double({ set: { 'read.count': 5, 'double.by': 3 } })).toMatchObject({
      prediction: { kind: 'unknown', until: 'read' },
      rows: { redo: 4, total: 4 },
    });
  });
});

test('a step takes what it took in the middle of earlier runs, and by the row where it counts rows', async () => {
  const rig = await engineRig();
  for (const [index, durationMs] of [100, 900, 200].entries()) {
    const run = `20260101-00000${index}-aaaa`;
    await rig.stores.metadata.putMany('runs', [{ key: run, expectedRevision: null, row: { run, pipeline: 'p' } }]);
    const told = { type: 'step-finished', outcome: 'succeeded', durationMs, counts: { 'rows computed': 10, 'rows reused': 5 } };
    await rig.stores.metadata.append(`run/${run}`, 0, [
      { ...told, step: 'map' },
      { ...told, step: 'plain', counts: {} },
      { ...told, step: 'hit', outcome: 'cached' },
    ]);
  }
  const known = await paces(rig.stores.metadata, 'p');
  expect(Object.fromEntries(known)).toEqual({
    map: { medianMs: 200, rowMs: 20, rows: 15, measured: 3 },
    plain: { medianMs: 200, rowMs: null, rows: null, measured: 3 },
  });
  const miss: Prediction = { kind: 'miss', reason: { kind: 'first-time' } };
  expect(expectedMs(miss, { redo: 3, total: 15 }, known.get('map'))).toBe(60);
  expect(expectedMs(miss, null, known.get('plain'))).toBe(200);
  expect(expectedMs(miss, null, undefined)).toBeNull();
  expect(expectedMs({ kind: 'hit', run: 'r', at: 0 }, null, known.get('plain'))).toBe(0);
});

test('steps that may go on at once are not added up', () => {
  const graph = buildGraph({
    kind: 'pipeline',
    name: 'wide',
    summary: 'Wide',
    inputs: {},
    build(builder: PipelineBuilder) {
      const { numbers: first } = builder.step(read, {});
      for (const name of ['a', 'b', 'c']) builder.step(double, first, { as: name });
    },
  });
  if (!graph.ok) throw new Error('The pipeline is sound');
  const step = (prediction: Prediction, ms: number | null) => ({ prediction, expectedMs: ms });
  const miss: Prediction = { kind: 'miss', reason: { kind: 'first-time' } };
  const unknown: Prediction = { kind: 'unknown', until: 'read', changes: [], made: true };
  const steps = new Map([
    ['read', step(miss, 1000)],
    ['a', step(unknown, 500)],
    ['b', step(unknown, 500)],
    ['c', step(unknown, null)],
  ]);
  expect(estimateRun(graph.value, steps, 2)).toEqual({ leastMs: 1000, mostMs: 1500, unmeasured: 1 });
  expect(estimateRun(graph.value, steps, 1)).toEqual({ leastMs: 1000, mostMs: 2000, unmeasured: 1 });
});
