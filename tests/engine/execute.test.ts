import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { type PipelineBuilder, defineMapStep, defineStep, drop } from '../../src/engine/define.ts';
import { engineRig } from '../support/engine-rig.ts';

const Word = z.strictObject({ word: z.string() });
const words = rows('words', Word);
const total = json('total', z.strictObject({ letters: z.int() }));

let worked: string[] = [];

const read = defineStep({
  name: 'read',
  version: 1,
  summary: 'Read words',
  params: z.strictObject({ words: z.array(z.string()).default(['a', 'bb', 'ccc']) }),
  inputs: {},
  outputs: { words },
  async run({ params, outputs, count }) {
    worked.push('read');
    for (const word of params.words) await outputs.words.write({ word });
    count('words', params.words.length);
  },
});
const shout = defineMapStep({
  name: 'shout',
  version: 1,
  summary: 'Shout',
  params: z.strictObject({ mark: z.string().default('!') }),
  input: words,
  output: words,
  run({ row, params, count }) {
    worked.push(`shout ${row.word}`);
    if (row.word === '') return drop(row, 'empty');
    count('shouted');
    return { word: `${row.word.trim()}${params.mark}` };
  },
});
const add = defineStep({
  name: 'add',
  version: 1,
  summary: 'Add letters',
  params: z.strictObject({}),
  inputs: { words },
  outputs: { total },
  async run({ inputs, outputs }) {
    worked.push('add');
    let letters = 0;
    for await (const row of inputs.words) letters += row.word.length;
    await outputs.total.write({ letters });
  },
});
const chain = (builder: PipelineBuilder) => builder.step(add, { words: builder.step(shout, builder.step(read, {}).words) });

describe('a run', () => {
  test('does every step once, and the next one none', async () => {
    worked = [];
    const rig = await engineRig();
    const first = await rig.run(chain);
    expect(first.outcomes).toEqual({ read: 'succeeded', shout: 'succeeded', add: 'succeeded' });
    expect(first.end).toMatchObject({
      status: 'succeeded',
      reason: null,
      steps: { succeeded: 3, cached: 0, failed: 0, skipped: 0, cancelled: 0 },
    });
    expect(first.finished('add').artifacts['total']).toMatchObject({ kind: 'json', inline: { letters: 9 } });
    expect(worked).toEqual(['read', 'shout a', 'shout bb', 'shout ccc', 'add']);

    worked = [];
    const second = await rig.run(chain);
    expect(second.outcomes).toEqual({ read: 'cached', shout: 'cached', add: 'cached' });
    expect(second.finished('shout').counts).toEqual(first.finished('shout').counts);
    expect(second.finished('add').artifacts).toEqual(first.finished('add').artifacts);
    expect(worked).toEqual([]);
  });

  test('computes one changed row of many, and stops where the result is the same', async () => {
    const rig = await engineRig();
    await rig.run(chain);
    worked = [];
    const changed = await rig.run(chain, { set: { 'read.words': ['a', 'bb ', 'ccc', ''] } });
    expect(worked).toEqual(['read', 'shout bb ', 'shout ']);
    expect(changed.outcomes).toEqual({ read: 'succeeded', shout: 'succeeded', add: 'cached' });
    expect(changed.finished('shout').counts).toEqual({ shouted: 3, 'dropped: empty': 1, 'rows computed': 2, 'rows reused': 2 });
  });
});
