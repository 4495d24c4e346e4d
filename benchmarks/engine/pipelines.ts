import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { defineMapStep, definePipeline, defineStep } from '../../src/engine/define.ts';

const At = json('at', z.int());
const Texts = rows('texts', z.strictObject({ id: z.int(), text: z.string() }));

const change = defineStep({
  name: 'change',
  version: 1,
  summary: 'Change the outside, which is nothing',
  params: z.strictObject({ target: z.string() }),
  inputs: { at: At },
  outputs: { at: At },
  effect: ({ target }) => target,
  observe: async () => 'as it was',
  async run({ inputs, outputs }) {
    await outputs.at.write(inputs.at + 1);
  },
});

const begin = defineStep({
  name: 'begin',
  version: 1,
  summary: 'Begin at nothing',
  params: z.strictObject({}),
  inputs: {},
  outputs: { at: At },
  async run({ outputs }) {
    await outputs.at.write(0);
  },
});

const produce = defineStep({
  name: 'produce',
  version: 1,
  summary: 'Write rows',
  params: z.strictObject({ count: z.int(), bytes: z.int() }),
  inputs: {},
  outputs: { texts: Texts },
  async run({ params, outputs }) {
    for (let id = 0; id < params.count; id++) await outputs.texts.write({ id, text: String(id).padEnd(params.bytes, 'x') });
  },
});

const pass = defineMapStep({
  name: 'pass',
  version: 1,
  summary: 'Pass rows on',
  params: z.strictObject({}),
  input: Texts,
  output: Texts,
  run: async ({ row }) => ({ id: row.id + 1, text: row.text }),
});

/** A chain of effect steps, each on a target of its own. */
export function effects(length: number) {
  return definePipeline({
    name: 'effects',
    summary: 'A chain of effects',
    build(pipeline) {
      let last: { at: unknown } = pipeline.step(begin, {});
      for (let link = 0; link < length; link += 1)
        last = pipeline.step(change, { at: last.at as never }, { as: `change-${link}`, params: { target: `target-${link}` } });
    },
  });
}

/** Rows of a size, passed on one by one. */
export function map(count: number, bytes: number) {
  return definePipeline({
    name: 'map',
    summary: 'A map over rows',
    build(pipeline) {
      pipeline.step(pass, pipeline.step(produce, {}, { params: { count, bytes } }).texts);
    },
  });
}
