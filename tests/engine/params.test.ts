import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { defineMapStep, definePipeline, defineStep } from '../../src/engine/define.ts';
import { buildGraph } from '../../src/engine/graph.ts';
import { type ParamOverrides, resolveParams } from '../../src/engine/params.ts';

const Word = z.strictObject({ word: z.string() });
const cut = defineMapStep({
  name: 'cut-words',
  version: 1,
  summary: 'Cut',
  params: z.strictObject({ maxLength: z.int().positive().default(10) }),
  input: rows('words', Word),
  output: rows('words', Word),
  run: ({ row }) => row,
});
const train = defineStep({
  name: 'train',
  version: 1,
  summary: 'Train',
  params: z.strictObject({
    seed: z.int().default(7),
    method: z.enum(['sft', 'dpo']).default('sft'),
    lora: z.strictObject({ rank: z.int().positive().default(16), alpha: z.number().default(32) }).prefault({}),
  }),
  inputs: {},
  outputs: {},
  rows: { cut },
  async run() {},
});
const inner = definePipeline({
  name: 'inner',
  summary: 'Inner',
  build: (builder) => builder.step(train, {}, { params: { seed: 9 } }),
});
const outer = definePipeline({ name: 'outer', summary: 'Outer', build: (builder) => builder.use(inner, {}) });

function resolve(overrides: Record<string, unknown>, origin = 'configs/base.yaml:4') {
  const graph = buildGraph(outer);
  if (!graph.ok) throw new Error('the graph is sound');
  const layered: ParamOverrides = Object.fromEntries(Object.entries(overrides).map(([address, value]) => [address, { value, origin }]));
  return resolveParams(graph.value, layered);
}

describe('parameters', () => {
  test('come from the defaults, the wiring and the overrides, in this order', () => {
    const resolved = resolve({ 'inner.train.lora.rank': 8, 'inner.train.cut-words.maxLength': 3 });
    expect(resolved.ok && resolved.value.get('inner.train')).toEqual({
      params: { seed: 9, method: 'sft', lora: { rank: 8, alpha: 32 } },
      rows: { cut: { maxLength: 3 } },
    });
  });

  test('of a driven step that were given to its driver are refused with the address they belong to', () => {
    const resolved = resolve({ 'inner.train.maxLength': 3 });
    expect(resolved.ok ? [] : resolved.error).toMatchObject([
      {
        message: 'inner.train has no parameter maxLength',
        expected: 'seed, method, lora',
        hint: 'Did you mean inner.train.cut-words.maxLength?',
      },
    ]);
  });

  test('are refused all at once, each with address, expected, found and origin', () => {
    const resolved = resolve({
      'inner.train.seed': 'ten',
      'inner.train.method': 'ppo',
      'inner.train.lora.rnk': 8,
      'inner.train.lora.alpha': 'x',
      'inner.trian.seed': 1,
      'inner.train': { seed: 1 },
      'inner.train.cut-words.maxLength': 0,
    });
    expect(resolved.ok ? [] : resolved.error).toEqual([
      {
        reason: 'unknown-address',
        message: 'No step of this pipeline has a parameter inner.trian.seed',
        where: 'configs/base.yaml:4',
        expected: '<step>.<parameter>',
        found: 'inner.trian.seed',
        hint: 'Did you mean inner.train.seed?',
        exit: 2,
      },
      {
        reason: 'unknown-address',
        message: 'inner.train is a step, not a parameter',
        where: 'configs/base.yaml:4',
        expected: '<step>.<parameter>',
        found: 'inner.train',
        hint: 'twin config show lists every address',
        exit: 2,
      },
      {
        reason: 'invalid-parameter',
        message: 'inner.train.seed is not what the step takes',
        where: 'configs/base.yaml:4',
        expected: 'a number',
        found: '"ten"',
        exit: 2,
      },
      {
        reason: 'invalid-parameter',
        message: 'inner.train.method is not what the step takes',
        where: 'configs/base.yaml:4',
        expected: '"sft" or "dpo"',
        found: '"ppo"',
        exit: 2,
      },
      {
        reason: 'invalid-parameter',
        message: 'inner.train.lora.alpha is not what the step takes',
        where: 'configs/base.yaml:4',
        expected: 'a number',
        found: '"x"',
        exit: 2,
      },
      {
        reason: 'unknown-parameter',
        message: 'inner.train.lora has no parameter rnk',
        where: 'configs/base.yaml:4',
        expected: 'rank, alpha',
        found: 'rnk',
        hint: 'Did you mean inner.train.lora.rank?',
        exit: 2,
      },
      {
        reason: 'invalid-parameter',
        message: 'inner.train.cut-words.maxLength is not what the step takes',
        where: 'configs/base.yaml:4',
        expected: 'more than 0',
        found: '0',
        exit: 2,
      },
    ]);
  });
});
