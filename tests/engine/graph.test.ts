import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import type { Problem } from '../../src/contracts/problem.ts';
import { type AnyPipeline, type Handle, type PipelineBuilder, defineMapStep, definePipeline, defineStep } from '../../src/engine/define.ts';
import { buildGraph, plannedStep } from '../../src/engine/graph.ts';

const none = z.strictObject({});
const Word = z.strictObject({ word: z.string() });
const words = rows('words', Word);

const read = defineStep({
  name: 'read',
  version: 1,
  summary: 'Read',
  params: none,
  inputs: {},
  outputs: { words, total: json('total', z.int()) },
  async run() {},
});
const shout = defineMapStep({
  name: 'shout',
  version: 1,
  summary: 'Shout',
  params: none,
  input: words,
  output: words,
  run: ({ row }) => row,
});
const print = defineStep({ name: 'print', version: 1, summary: 'Print', params: none, inputs: { words }, outputs: {}, async run() {} });

function pipeline(name: string, build: (builder: PipelineBuilder) => unknown): AnyPipeline {
  return definePipeline({ name, summary: name, build });
}

function graphOf(build: (builder: PipelineBuilder) => unknown) {
  const graph = buildGraph(pipeline('test', build));
  if (!graph.ok) throw new Error(JSON.stringify(graph.error));
  return graph.value;
}

function problemsOf(build: (builder: PipelineBuilder) => unknown): readonly Problem[] {
  const graph = buildGraph(pipeline('test', build));
  return graph.ok ? [] : graph.error;
}

// Hides a handle's type, as wrong wiring would not compile.
const untyped = (handle: unknown) => handle as never;

describe('a graph', () => {
  test('holds the steps in the order of wiring, with address, wires and place', () => {
    const graph = graphOf((builder) => {
      const source = builder.step(read, {});
      const loud = builder.step(shout, source.words, { as: 'shout-all', when: [source.total, (total) => total > 1] });
      builder.step(print, { words: loud }, { after: [source.total] });
    });
    expect(graph.nodes.map((node) => node.address)).toEqual(['read', 'shout-all', 'print']);
    expect(graph.byAddress.get('shout-all')!.inputs).toEqual({ input: { step: 'read', output: 'words' } });
    expect(graph.byAddress.get('print')!.dependencies).toEqual(['shout-all', 'read']);
    expect(plannedStep(graph.nodes[2]!)).toEqual({
      address: 'print',
      step: 'print',
      kind: 'step',
      summary: 'Print',
      inputs: { words: 'shout-all.output', 'after:1': 'read' },
      place: expect.stringMatching(/^tests\/engine\/graph\.test\.ts:\d+$/) as string,
    });
  });

  test('prefixes the steps of used pipelines, however deep', () => {
    const inner = pipeline('inner', (builder) => builder.step(read, {}));
    const middle = pipeline('middle', (builder) => builder.use(inner, {}));
    const graph = graphOf((builder) => {
      builder.use(middle, {});
      builder.use(inner, {}, { as: 'again' });
    });
    expect(graph.nodes.map((node) => node.address)).toEqual(['middle.inner.read', 'again.read']);
  });

  test('lets every source of a used pipeline wait for `after`', () => {
    const inner = pipeline('inner', (builder) => {
      const source = builder.step(read, {});
      builder.step(print, { words: source.words });
      builder.step(read, {}, { as: 'other' });
    });
    const graph = graphOf((builder) => {
      const first = builder.step(read, {}, { as: 'first' });
      builder.use(inner, {}, { after: [first.total] });
    });
    expect(Object.fromEntries(graph.nodes.map((node) => [node.address, node.after]))).toEqual({
      first: [],
      'inner.read': ['first'],
      'inner.print': [],
      'inner.other': ['first'],
    });
  });
});

describe('mistakes of wiring', () => {
  test('are all found at once, each with its place', () => {
    const problems = problemsOf((builder) => {
      const source = builder.step(read, {});
      builder.step(read, {});
      builder.step(print, untyped({}));
      builder.step(print, untyped({ words: source.total }), { as: 'print-total' });
      builder.step(print, untyped({ words: source.words, wrds: source.words }), { as: 'print-twice' });
      builder.step(print, untyped({ words: { step: 'raed', output: 'words', artifact: words } }), { as: 'print-unknown' });
    });
    expect(problems.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      'duplicate-address: Two steps have the address read',
      'missing-input: Step print is not given its input words',
      'artifact-mismatch: The input words of step print-total does not fit read.total',
      'unknown-input: Step print-twice has no input wrds',
      'unknown-handle: The input words of step print-unknown is wired to raed.words, which this pipeline does not hold',
    ]);
    for (const problem of problems) {
      expect(problem.where).toMatch(/^tests\/engine\/graph\.test\.ts:\d+$/);
      expect(problem.exit).toBe(2);
    }
    expect(problems[0]!.found).toMatch(/^first wired at tests\/engine\/graph\.test\.ts:\d+$/);
    expect(problems[2]).toMatchObject({ expected: 'rows words', found: 'json total' });
    expect(problems[3]!.hint).toBe('Did you mean words?');
    expect(problems[4]!.hint).toBe('Did you mean read?');
  });

  test('include artifacts of one name and two schemas', () => {
    const other = defineStep({
      name: 'other',
      version: 1,
      summary: 'Other',
      params: none,
      inputs: { words: rows('words', z.strictObject({ word: z.string(), length: z.int() })) },
      outputs: {},
      async run() {},
    });
    const [problem] = problemsOf((builder) => builder.step(other, untyped({ words: builder.step(read, {}).words })));
    expect(problem).toMatchObject({
      reason: 'schema-mismatch',
      message: 'The input words of step other does not fit read.words: both are called words, but their schemas differ',
      hint: 'Use one schema on both sides',
    });
  });

  test('include a pipeline that is used twice under one name, reported once', () => {
    const inner = pipeline('inner', (builder) => builder.step(print, { words: builder.step(read, {}).words }));
    const problems = problemsOf((builder) => {
      builder.use(inner, {});
      builder.use(inner, {});
    });
    expect(problems.map((problem) => problem.message)).toEqual(['Pipeline inner is used twice under the same name']);
  });

  test('include a cycle, told as a path', () => {
    const forged = (step: string): Handle => ({ step, output: 'output', artifact: words });
    const problems = problemsOf((builder) => {
      builder.step(shout, untyped(forged('b')), { as: 'a' });
      builder.step(shout, untyped(forged('a')), { as: 'b' });
    });
    expect(problems.map(({ reason, found }) => [reason, found])).toEqual([['cycle', 'a needs b needs a']]);
  });

  test('include a condition on something that is not JSON, and a build that throws', () => {
    const problems = problemsOf((builder) => {
      const source = builder.step(read, {});
      builder.step(print, { words: source.words }, { when: untyped([source.words, () => true]) });
      throw new Error('not wiring');
    });
    expect(problems.map((problem) => problem.reason)).toEqual(['build-failed', 'condition-not-json']);
    expect(problems[0]!.message).toBe('Pipeline test cannot be built: not wiring');
  });
});
