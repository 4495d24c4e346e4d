import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { type MapStep, type PipelineBuilder, defineMapStep, defineStep, drop } from '../../src/engine/define.ts';
import { readJson } from '../../src/engine/inputs.ts';
import { engineRig } from '../support/engine-rig.ts';

const Item = z.strictObject({ id: z.int(), text: z.string() });
const items = rows('items', Item);
const none = z.strictObject({});
type Item = z.output<typeof Item>;

const source = defineStep({
  name: 'source',
  version: 1,
  summary: 'Source',
  params: z.strictObject({ items: z.array(Item) }),
  inputs: {},
  outputs: { items },
  async run({ params, outputs }) {
    for (const item of params.items) await outputs.items.write(item);
  },
});
let computed: number[] = [];
/** Splits by commas, drops the empty, and takes its time in an order of its own. */
const split = defineMapStep({
  name: 'split',
  version: 1,
  summary: 'Split',
  params: none,
  input: items,
  output: items,
  async run({ row, count }) {
    computed.push(row.id);
    if (row.id % 2 === 0) await new Promise(setImmediate);
    if (row.text === '') return drop(row, 'empty');
    const parts = row.text.split(',').map((text) => ({ id: row.id, text }));
    count('parts', parts.length);
    return parts as [Item, ...Item[]];
  },
});
let batches: number[] = [];
const upper = defineMapStep({
  name: 'upper',
  version: 1,
  summary: 'Upper',
  params: none,
  input: items,
  output: items,
  async runBatch({ rows, count }) {
    batches.push(rows.length);
    count('batches');
    return rows.map((row) => ({ ...row, text: row.text.toUpperCase() }));
  },
});
const collect = defineStep({
  name: 'collect',
  version: 1,
  summary: 'Collect',
  params: none,
  inputs: { items },
  outputs: { all: json('all', z.array(Item)) },
  async run({ inputs, outputs }) {
    await outputs.all.write(await Array.fromAsync(inputs.items));
  },
});
const item = (id: number, text: string): Item => ({ id, text });

async function mapped(
  rig: Awaited<ReturnType<typeof engineRig>>,
  step: MapStep<string, Item, Item, 'items', 'items'>,
  given: readonly Item[],
) {
  const build = (builder: PipelineBuilder) => builder.step(collect, { items: builder.step(step, builder.step(source, {}).items) });
  const run = await rig.run(build, { set: { 'source.items': given } });
  const all = run.finished('collect').artifacts['all'];
  return { run, rows: all ? ((await readJson(all, rig.stores.artifacts)) as Item[]) : [], counts: run.finished(step.name).counts };
}

describe('a map step', () => {
  test('keeps the order of its input, whatever was cached, dropped or took long', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('', 'a', 'a,b', 'c,d,e', 'x'), { maxLength: 40 }), fc.nat(30), async (texts, kept) => {
        const rig = await engineRig();
        const given = texts.map((text, id) => item(id, text));
        const expected = given.flatMap(({ id, text }) => (text === '' ? [] : text.split(',').map((part) => item(id, part))));
        await mapped(rig, split, given.slice(0, kept));
        const shuffled = await mapped(rig, split, given.toReversed());
        expect(shuffled.rows).toEqual(given.toReversed().flatMap(({ id }) => expected.filter((row) => row.id === id)));
        expect((await mapped(rig, split, given)).rows).toEqual(expected);
      }),
      { numRuns: 8 },
    );
  });

  test('computes only rows that it has not seen, and counts as if it had computed all', async () => {
    const rig = await engineRig();
    const given = Array.from({ length: 300 }, (_, id) => item(id, id % 10 === 0 ? '' : 'a,b'));
    const first = await mapped(rig, split, given);
    computed = [];
    const second = await mapped(rig, split, [...given.slice(0, 150), item(1000, 'new'), ...given.slice(150), given[3]!]);
    expect(computed).toEqual([1000]);
    expect(second.counts).toEqual({ parts: 543, 'dropped: empty': 30, 'rows computed': 1, 'rows reused': 301 });
    expect(first.counts).toEqual({ parts: 540, 'dropped: empty': 30, 'rows computed': 300, 'rows reused': 0 });
  });

  test('gives batches to runBatch, one result a row', async () => {
    batches = [];
    const rig = await engineRig();
    const given = Array.from({ length: 150 }, (_, id) => item(id, 'a'));
    const { rows, counts } = await mapped(rig, upper, given);
    expect(rows).toEqual(given.map(({ id }) => item(id, 'A')));
    expect(batches).toEqual([64, 64, 22]);
    expect(counts).toMatchObject({ batches: 3, 'rows computed': 150 });
    await mapped(rig, upper, [...given, item(999, 'b')]);
    expect(batches).toEqual([64, 64, 22, 1]);
  });

  test('keeps long results in the artifact store', async () => {
    const rig = await engineRig();
    const long = 'x'.repeat(100_000);
    await mapped(rig, split, [item(1, long)]);
    computed = [];
    const { rows } = await mapped(rig, split, [item(1, long), item(2, 'y')]);
    expect(rows.map(({ id, text }) => [id, text.length])).toEqual([
      [1, 100_000],
      [2, 1],
    ]);
    expect(computed).toEqual([2]);
  });

  test('keeps what was computed before a row failed', async () => {
    let broken = true;
    const fragile = {
      ...split,
      run: (context: never) => {
        const { row } = context as { row: Item };
        if (broken && row.id === 20) throw new Error('cannot parse');
        computed.push(row.id);
        return row;
      },
    } as typeof split;
    const rig = await engineRig();
    const given = Array.from({ length: 30 }, (_, id) => item(id, 'a'));
    expect((await mapped(rig, fragile, given)).run.outcomes['split']).toBe('failed error');
    broken = false;
    computed = [];
    await mapped(rig, fragile, given);
    expect(computed.length).toBeLessThanOrEqual(10);
    expect(computed).toContain(20);
  });

  test('refuses an empty array and rows that do not fit', async () => {
    const rig = await engineRig();
    const making = (made: unknown) => ({ ...split, run: () => made }) as typeof split;
    const problem = async (made: unknown) => {
      const build = (builder: PipelineBuilder) => builder.step(making(made), builder.step(source, {}).items);
      return (await rig.run(build, { set: { 'source.items': [item(1, 'a')] } })).end.problem?.message;
    };
    expect(await problem([])).toBe('Map step split made an empty array of a row');
    expect(await problem({ id: 1 })).toBe('Map step split made a row that does not fit its schema at text');
  });
});

describe('a map step that another step drives', () => {
  const drive = defineStep({
    name: 'drive',
    version: 1,
    summary: 'Drive',
    params: z.strictObject({ items: z.array(Item) }),
    inputs: {},
    outputs: { all: json('all', z.array(z.unknown())) },
    rows: { split },
    async run({ params, outputs, rows }) {
      if (!/^[0-9a-f]{64}$/.test(rows.split.identity)) throw new Error('a map step names itself');
      const all = await Promise.all(params.items.map((row) => rows.split(row)));
      await outputs.all.write(all.flat());
    },
  });

  test('shares its row cache with the same map step anywhere else', async () => {
    const rig = await engineRig();
    const given = [item(1, 'a,b'), item(2, ''), item(3, 'c')];
    await mapped(rig, split, given);
    computed = [];
    const run = await rig.run((builder) => builder.step(drive, {}), { set: { 'drive.items': [...given, item(4, 'd')] } });
    expect(computed).toEqual([4]);
    const all = run.finished('drive').artifacts['all'];
    expect(all?.kind === 'json' && all.inline).toEqual([item(1, 'a'), item(1, 'b'), item(3, 'c'), item(4, 'd')]);
    expect(run.finished('drive').counts).toEqual({
      'split: parts': 4,
      'split: dropped: empty': 1,
      'split: rows computed': 1,
      'split: rows reused': 3,
    });
  });
});
