import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { defineMapStep, definePipeline, defineStep, drop } from '../../src/engine/define.ts';

const Word = z.strictObject({ word: z.string() });
const Length = z.strictObject({ word: z.string(), length: z.int() });
const none = z.strictObject({});

const readWords = defineStep({
  name: 'read-words',
  version: 1,
  summary: 'Read words',
  params: z.strictObject({ count: z.int().default(3) }),
  inputs: {},
  outputs: { words: rows('words', Word), base: folder('base-model'), adapter: folder('adapter') },
  async run({ outputs, params }) {
    await outputs.words.write({ word: String(params.count) });
    // @ts-expect-error -- a row of another shape
    await outputs.words.write({ text: 'x' });
    // @ts-expect-error -- folders are written into, not written
    outputs.base.write('x');
  },
});

const measure = defineMapStep({
  name: 'measure',
  version: 1,
  summary: 'Measure words',
  params: none,
  input: rows('words', Word),
  output: rows('lengths', Length),
  needs: ['tokenizer'],
  run({ row, ports }) {
    // @ts-expect-error -- a port that was not asked for
    void ports.embedder;
    return row.word === '' ? drop(row, 'empty') : { word: row.word, length: ports.tokenizer.count(row.word) };
  },
});

const merge = defineStep({
  name: 'merge',
  version: 1,
  summary: 'Merge',
  params: none,
  inputs: { base: folder('base-model'), adapter: folder('adapter') },
  outputs: { report: json('merge-report', z.strictObject({ ok: z.boolean() })) },
  async run({ outputs, inputs }) {
    await inputs.base.path();
    await outputs.report.write({ ok: true });
  },
});

const sum = defineStep({
  name: 'sum',
  version: 1,
  summary: 'Sum lengths',
  params: none,
  inputs: { lengths: rows('lengths', Length) },
  outputs: { total: json('total', z.int()) },
  async run({ inputs, outputs }) {
    let total = 0;
    for await (const row of inputs.lengths) total += row.length;
    await outputs.total.write(total);
  },
});

describe('the types of wiring', () => {
  test('let right wiring compile and refuse everything else', () => {
    const pipeline = definePipeline({
      name: 'words',
      summary: 'Words',
      build(builder) {
        const read = builder.step(readWords, {});
        const lengths = builder.step(measure, read.words, { as: 'measure-all' });
        const total = builder.step(sum, { lengths });
        builder.step(merge, { base: read.base, adapter: read.adapter }, { when: [total.total, (value) => value > 1] });
        // @ts-expect-error -- swapped folders
        builder.step(merge, { base: read.adapter, adapter: read.base });
        // @ts-expect-error -- swapped rows
        builder.step(sum, { lengths: read.words });
        // @ts-expect-error -- a map step on rows of another name
        builder.step(measure, lengths);
        // @ts-expect-error -- an input that the step does not have
        builder.step(sum, { lengths, words: read.words });
        // @ts-expect-error -- a missing input
        builder.step(sum, {});
        // @ts-expect-error -- an output that the step does not have
        void read.missing;
        return { total: total.total };
      },
    });
    expect(pipeline.name).toBe('words');
    expect(readWords.place.file).toBe(import.meta.filename);
  });
});
