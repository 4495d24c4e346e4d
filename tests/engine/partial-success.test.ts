import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { type PipelineBuilder, defineMapStep, defineStep } from '../../src/engine/define.ts';
import { engineRig } from '../support/engine-rig.ts';

const Item = z.strictObject({ id: z.int(), kind: z.string() });
const items = rows('items', Item);
const source = defineStep({
  name: 'source',
  version: 1,
  summary: 'Source',
  params: z.strictObject({ kinds: z.string().default('abcdefghij') }),
  inputs: {},
  outputs: { items },
  async run({ outputs, params }) {
    for (const [id, kind] of [...params.kinds].entries()) await outputs.items.write({ id, kind });
  },
});
let broken: Set<number>;
let calls: number;
beforeEach(() => {
  broken = new Set();
  calls = 0;
});
const label = defineMapStep({
  name: 'label',
  version: 1,
  summary: 'Label items',
  params: z.strictObject({ tolerate: z.number().default(0.2) }),
  input: items,
  output: items,
  tolerate: ({ tolerate }) => tolerate,
  async run({ row }) {
    calls++;
    if (broken.has(row.id)) throw new TypeError('cannot label');
    return row;
  },
});
const labelBatches = defineMapStep({
  name: 'label',
  version: 1,
  summary: 'Label items',
  params: z.strictObject({}),
  input: items,
  output: items,
  tolerate: () => 0.2,
  async runBatch({ rows }) {
    if (rows.some((row) => broken.has(row.id))) throw new TypeError('cannot label');
    return rows;
  },
});
const build = (builder: PipelineBuilder) => builder.step(label, builder.step(source, {}).items);

describe('a map step that tolerates failures', () => {
  test.each([
    ['row by row', label],
    ['in batches', labelBatches],
  ] as const)('goes on %s without the rows that failed, counts them and keeps them with the reason', async (_how, step) => {
    broken = new Set([3, 7]);
    const rig = await engineRig();
    const { outcomes, finished } = await rig.run((builder) => builder.step(step, builder.step(source, {}).items));
    expect(outcomes).toEqual({ source: 'succeeded', label: 'succeeded' });
    const { artifacts, counts } = finished('label');
    expect(counts['failed: step-threw']).toBe(2);
    expect(artifacts['output']).toMatchObject({ rows: 8 });
    const kept = await readFile(await rig.stores.artifacts.localPath('file', artifacts['failed']!.digest), 'utf8');
    expect(
      kept
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(
      [3, 7].map((id) => ({
        message: 'Step label threw TypeError: cannot label',
        reason: 'step-threw',
        row: { id, kind: 'abcdefghij'[id] },
      })),
    );
  });

  test('fails where more failed than it tolerates, and names the first', async () => {
    broken = new Set([1, 2, 3]);
    const { end } = await (await engineRig()).run(build);
    expect(end.problem).toEqual({
      reason: 'too-many-rows-failed',
      message: 'More rows of step label failed than it tolerates',
      where: 'label',
      expected: 'at most 2 of 10 (20 %)',
      found: [
        '3 so far:',
        ...[1, 2, 3].map((id) => `Step label threw TypeError: cannot label (row {"id":${id},"kind":"${'abcd'[id]}"})`),
      ].join('\n'),
      hint: 'The rows that worked are kept: mend these and run again',
      exit: 1,
    });
  });

  test('is no hit for the next run, which tries the failed rows alone', async () => {
    broken = new Set([3]);
    const rig = await engineRig();
    await rig.run(build);
    broken.clear();
    calls = 0;
    const { outcomes, finished } = await rig.run(build);
    expect(outcomes['label']).toBe('succeeded');
    expect(calls).toBe(1);
    expect(finished('label').artifacts).not.toHaveProperty('failed');
    expect((await rig.run(build)).outcomes['label']).toBe('cached');
  });
});

describe('a map step over groups', () => {
  const total = rows('totals', z.strictObject({ kind: z.string(), ids: z.array(z.int()) }));
  const gather = defineMapStep({
    name: 'gather',
    version: 1,
    summary: 'Gather ids',
    params: z.strictObject({}),
    input: items,
    output: total,
    groupBy: (row) => row.kind,
    runGroup({ group, rows }) {
      calls++;
      return { kind: group, ids: rows.map((row) => row.id) };
    },
  });
  const grouped = (builder: PipelineBuilder) => builder.step(gather, builder.step(source, {}).items);

  test('makes one result a group, and does only the groups that changed', async () => {
    const rig = await engineRig();
    const { finished } = await rig.run(grouped, { set: { 'source.kinds': 'aabccc' } });
    const text = await readFile(await rig.stores.artifacts.localPath('file', finished('gather').artifacts['output']!.digest), 'utf8');
    expect(text).toBe('{"ids":[0,1],"kind":"a"}\n{"ids":[2],"kind":"b"}\n{"ids":[3,4,5],"kind":"c"}\n');
    calls = 0;
    await rig.run(grouped, { set: { 'source.kinds': 'aabcccc' } });
    expect(calls).toBe(1);
  });

  test('refuses a group whose rows are apart', async () => {
    const { end } = await (await engineRig()).run(grouped, { set: { 'source.kinds': 'aba' } });
    expect(end.problem).toMatchObject({
      reason: 'group-split',
      message: 'The rows of group a do not follow one another in the input of step gather',
      hint: 'Sort the rows by their group in the step that writes them',
    });
  });
});

describe('a loop', () => {
  const number = json('number', z.number());
  const start = defineStep({
    name: 'start',
    version: 1,
    summary: 'Start',
    params: z.strictObject({}),
    inputs: {},
    outputs: { number },
    run: ({ outputs }) => outputs.number.write(1),
  });
  const grow = defineStep({
    name: 'grow',
    version: 1,
    summary: 'Grow',
    params: z.strictObject({ by: z.number().default(1) }),
    inputs: { number },
    outputs: { number },
    run: ({ inputs, outputs, params }) => outputs.number.write(inputs.number + params.by),
  });
  const looped = (rounds: number) => (builder: PipelineBuilder) =>
    builder.loop(rounds, builder.step(start, {}).number, (inner, value) => inner.step(grow, { number: value }).number);

  test('is unrolled into numbered steps, each on what the one before it made', async () => {
    const { outcomes, finished } = await (await engineRig()).run(looped(3), { set: { 'grow.by': 10, 'grow#2.by': 5 } });
    expect(Object.keys(outcomes)).toEqual(['start', 'grow#1', 'grow#2', 'grow#3']);
    expect(finished('grow#3').artifacts['number']).toMatchObject({ inline: 26 });
  });

  test('without a bound is refused when the pipeline is built', async () => {
    const rig = await engineRig();
    await expect(rig.run(looped(Infinity))).rejects.toThrow('A loop needs a number of rounds that is known when the pipeline is built');
  });
});
