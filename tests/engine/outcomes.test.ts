import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { folder, json, rows, verdict } from '../../src/contracts/artifact.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { type AnyStep, type Handle, type PipelineBuilder, definePipeline, defineStep } from '../../src/engine/define.ts';
import { engineRig } from '../support/engine-rig.ts';

const number = json('number', z.number());
const decision = verdict(
  'decision',
  z.strictObject({ verdict: z.enum(['pass', 'refuse', 'fail', 'undecided']), reasons: z.array(z.string()) }),
);
const none = z.strictObject({});

/** What the steps of a test do next, by address. */
let act: Record<string, () => unknown> = {};

const give = (name: string, value = 1) =>
  defineStep({
    name,
    version: 1,
    summary: name,
    params: none,
    inputs: {},
    outputs: { number },
    async run({ outputs }) {
      await act[name]?.();
      await outputs.number.write(value);
    },
  });
const take = (name: string) =>
  defineStep({
    name,
    version: 1,
    summary: name,
    params: none,
    inputs: { number },
    outputs: { number },
    async run({ inputs, outputs }) {
      await act[name]?.();
      await outputs.number.write(inputs.number + 1);
    },
  });
const judge = defineStep({
  name: 'judge',
  version: 1,
  summary: 'Judge',
  params: z.strictObject({ verdict: z.enum(['pass', 'refuse', 'fail', 'undecided']).default('refuse') }),
  inputs: {},
  outputs: { decision },
  run: ({ outputs, params }) =>
    outputs.decision.write({ verdict: params.verdict, reasons: params.verdict === 'pass' ? [] : ['too few samples'] }),
});
const fail = (reason = 'broken', exit: 1 | 4 = 1) => {
  throw new ProblemError({ reason, message: `It is ${reason}`, exit });
};

const fork = (builder: PipelineBuilder) => {
  const left = builder.step(give('left'), {});
  const right = builder.step(give('right', 2), {});
  builder.step(take('after-left'), left);
  builder.step(take('after-right'), right);
};

describe('a step that fails', () => {
  test('cancels what depends on it and what has not begun', async () => {
    act = { left: () => fail() };
    const { outcomes, end } = await (await engineRig()).run(fork, { concurrency: 1 });
    expect(outcomes).toEqual({
      left: 'failed error',
      'after-left': 'cancelled upstream-failed',
      right: 'cancelled upstream-failed',
      'after-right': 'cancelled upstream-failed',
    });
    expect(end).toMatchObject({
      status: 'failed',
      reason: null,
      problem: { reason: 'broken', message: 'It is broken', where: 'left', exit: 1 },
    });
    expect(end.steps).toEqual({ succeeded: 0, cached: 0, failed: 1, skipped: 0, cancelled: 3 });
  });

  test('leaves other branches alone where the run keeps going', async () => {
    act = { left: () => fail() };
    const rig = await engineRig();
    const { outcomes } = await rig.run(fork, { keepGoing: true });
    expect(outcomes).toEqual({
      left: 'failed error',
      'after-left': 'cancelled upstream-failed',
      right: 'succeeded',
      'after-right': 'succeeded',
    });
    act = {};
    const again = await rig.run(fork);
    expect(again.outcomes).toEqual({ left: 'succeeded', 'after-left': 'succeeded', right: 'cached', 'after-right': 'cached' });
  });

  test('tells where its code threw', async () => {
    act = {
      left: () => {
        throw new TypeError('no such thing');
      },
    };
    const { end } = await (await engineRig()).run(fork);
    expect(end.problem).toMatchObject({ reason: 'step-threw', message: 'Step left threw TypeError: no such thing' });
    expect(end.problem?.where).toContain('outcomes.test.ts:');
  });

  test('makes the run a matter for a person where changes may have been missed', async () => {
    act = { left: () => fail('gap-detected', 4) };
    const { end } = await (await engineRig()).run(fork);
    expect(end).toMatchObject({ status: 'failed', reason: 'gap-detected', problem: { exit: 4 } });
  });
});

describe('a failure that may pass', () => {
  const reset = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  const patient = { ...give('patient'), retry: { attempts: 3, firstDelayMs: 1 } } as AnyStep as ReturnType<typeof give>;

  test('is tried again, with another attempt', async () => {
    let tries = 0;
    act = {
      patient: () => {
        if (++tries < 3) throw new Error('cannot embed', { cause: reset() });
      },
    };
    const { outcomes, events } = await (await engineRig()).run((builder) => builder.step(patient, {}));
    expect(outcomes).toEqual({ patient: 'succeeded' });
    expect(events.filter((event) => event.type === 'step-started').map((event) => event.attempt)).toEqual([1, 2, 3]);
    expect(events.filter((event) => event.type === 'step-retry')).toHaveLength(2);
  });

  test('fails in the end', async () => {
    act = {
      patient: () => {
        throw reset();
      },
    };
    const { outcomes, events } = await (await engineRig()).run((builder) => builder.step(patient, {}));
    expect(outcomes).toEqual({ patient: 'failed error' });
    expect(events.filter((event) => event.type === 'step-started')).toHaveLength(3);
  });

  test('is nothing that a step said itself, whatever its policy', async () => {
    act = { left: () => fail(), patient: () => fail() };
    const { events } = await (
      await engineRig()
    ).run((builder) => [builder.step(give('left'), {}), builder.step(patient, {})], { keepGoing: true });
    const attempts = events.filter((event) => event.type === 'step-started').map((event) => event.step);
    expect(attempts.toSorted()).toEqual(['left', 'patient']);
  });
});

test('a step that takes longer than it may is timed out, even if it does not listen', async () => {
  const slow = { ...give('slow'), timeouts: { attemptMs: 5 } } as AnyStep as ReturnType<typeof give>;
  act = { slow: () => new Promise(() => undefined) };
  const { outcomes, end } = await (await engineRig()).run((builder) => builder.step(slow, {}), { graceMs: 1 });
  expect(outcomes).toEqual({ slow: 'failed timed-out' });
  expect(end.problem).toMatchObject({ reason: 'timed-out', expected: 'at most 5 ms for one attempt (timeouts.attemptMs)' });
});

describe('a run that is stopped', () => {
  test('cancels what works and what has not begun, and keeps what is done', async () => {
    const controller = new AbortController();
    act = { 'after-left': () => controller.abort() };
    const rig = await engineRig();
    const build = (builder: PipelineBuilder) =>
      builder.step(take('last'), builder.step(take('after-left'), builder.step(give('left'), {})));
    const { outcomes, end } = await rig.run(build, { signal: controller.signal });
    expect(outcomes).toEqual({ left: 'succeeded', 'after-left': 'cancelled cancelled-by-user', last: 'cancelled cancelled-by-user' });
    expect(end).toMatchObject({ status: 'cancelled', steps: { succeeded: 1, cached: 0, failed: 0, skipped: 0, cancelled: 2 } });
    expect(end.problem).toBeUndefined();
    act = {};
    expect((await rig.run(build)).outcomes).toEqual({ left: 'cached', 'after-left': 'succeeded', last: 'succeeded' });
  });
});

describe('a gate', () => {
  const gated = (builder: PipelineBuilder) => {
    const { decision: passed } = builder.step(judge, {});
    builder.step(take('guarded'), builder.step(give('left'), {}), { after: [passed] });
    builder.step(give('right'), {});
  };

  test('that refuses skips what depends on it and refuses the run, again when cached', async () => {
    act = {};
    const rig = await engineRig();
    const { outcomes, end } = await rig.run(gated);
    expect(outcomes).toEqual({ judge: 'succeeded', left: 'succeeded', guarded: 'skipped gate-refused', right: 'succeeded' });
    expect(end).toMatchObject({
      status: 'refused',
      reason: 'too few samples',
      problem: { reason: 'gate-refused', message: 'Gate judge refuses: too few samples', exit: 3 },
    });
    const again = await rig.run(gated);
    expect(again.outcomes['judge']).toBe('cached');
    expect(again.end.status).toBe('refused');
  });

  test('lets everything pass that it does not refuse, but for undecided under a strict gate', async () => {
    const rig = await engineRig();
    const set = { 'judge.verdict': 'undecided' };
    expect((await rig.run(gated, { set })).end.status).toBe('succeeded');
    expect((await rig.run(gated, { set, gate: 'strict' })).end.status).toBe('refused');
  });
});

describe('a condition', () => {
  const conditional = (outcome: boolean | 'no-champion') => (builder: PipelineBuilder) => {
    const left = builder.step(give('left'), {});
    builder.step(take('next'), builder.step(take('maybe'), left, { when: [left.number, () => outcome] }));
  };

  test('that holds lets the step run', async () => {
    act = {};
    expect((await (await engineRig()).run(conditional(true))).outcomes['maybe']).toBe('succeeded');
  });

  test('that does not hold skips the step and its dependants for the same reason, and the run succeeds', async () => {
    const rig = await engineRig();
    const { outcomes, end } = await rig.run(conditional(false));
    expect(outcomes).toEqual({ left: 'succeeded', maybe: 'skipped condition', next: 'skipped condition' });
    expect(end.status).toBe('succeeded');
    expect((await rig.run(conditional('no-champion'))).outcomes).toEqual({
      left: 'cached',
      maybe: 'skipped no-champion',
      next: 'skipped no-champion',
    });
  });
});

describe('a slice', () => {
  const line = definePipeline({
    name: 'line',
    summary: 'Line',
    build: (builder) => builder.step(take('third'), builder.step(take('second'), builder.step(give('first'), {}))),
  });

  test('does its steps on earlier results of the rest', async () => {
    act = {};
    const rig = await engineRig();
    await rig.run(line);
    expect((await rig.run(line, { from: 'second', force: ['second'] })).outcomes).toEqual({
      first: 'skipped slice',
      second: 'succeeded',
      third: 'cached',
    });
    expect((await rig.run(line, { to: 'second' })).outcomes).toEqual({ first: 'cached', second: 'cached', third: 'skipped slice' });
    expect((await rig.run(line, { only: ['second'] })).outcomes).toEqual({
      first: 'skipped slice',
      second: 'cached',
      third: 'skipped slice',
    });
  });

  test('is refused before anything runs where a result is lacking or a name is wrong', async () => {
    const rig = await engineRig();
    const { end, events } = await rig.run(line, { from: 'second' });
    expect(events).toEqual([]);
    expect(end.problems?.map((problem) => problem.message)).toEqual([
      'Step second reads first.number as its number, which this run leaves out and no earlier run has made',
    ]);
    expect(end).toMatchObject({ status: 'failed', steps: { cancelled: 3 }, problem: { exit: 2 } });
    const wrong = await rig.run(line, { only: ['secnd'], force: ['thrd'] });
    expect(wrong.end.problems?.map(({ message, hint }) => `${message}. ${hint}`)).toEqual([
      'Pipeline line has no step thrd. Did you mean third?',
      'Pipeline line has no step secnd. Did you mean second?',
    ]);
  });
});

describe('outputs', () => {
  const Row = z.strictObject({ id: z.int() });
  const outputs = { number, rows: rows('rows', Row), files: folder('files') };
  const careless = (
    run: (face: { number: { write(value: unknown): Promise<void> }; rows: { write(row: unknown): Promise<void> } }) => Promise<void>,
  ) =>
    defineStep({
      name: 'careless',
      version: 1,
      summary: 'Careless',
      params: none,
      inputs: {},
      outputs,
      run: ({ outputs }) => run(outputs as never),
    });
  const problemOf = async (step: ReturnType<typeof careless>) =>
    (await (await engineRig()).run((builder) => builder.step(step, {}))).end.problem;

  test('are checked row by row', async () => {
    const problem = await problemOf(
      careless(async ({ rows }) => {
        await rows.write({ id: 1 });
        await rows.write({ id: 'two' });
      }),
    );
    expect(problem).toMatchObject({
      reason: 'invalid-output',
      message: 'Step careless wrote row 2 into rows that does not fit its schema at id',
      found: '"two"',
    });
  });

  test('of JSON are written exactly once, and folders hold something', async () => {
    expect((await problemOf(careless(async () => undefined)))?.message).toBe('Output number of step careless was not written');
    const twice = careless(async ({ number }) => {
      await number.write(1);
      await number.write(2);
    });
    expect((await problemOf(twice))?.message).toBe('Output number of step careless was written twice');
    expect((await problemOf(careless(({ number }) => number.write(1))))?.message).toBe('Output files of step careless holds no files');
  });
});

test('two steps with one key do the work once', async () => {
  let times = 0;
  act = { left: () => void times++ };
  const { outcomes } = await (
    await engineRig()
  ).run((builder) => [builder.step(give('left'), {}), builder.step(give('left'), {}, { as: 'same' })]);
  expect(outcomes).toEqual({ left: 'succeeded', same: 'cached' });
  expect(times).toBe(1);
});

test('a hit whose artifact is gone is done again, and says so', async () => {
  const big = defineStep({
    name: 'big',
    version: 1,
    summary: 'Big',
    params: none,
    inputs: {},
    outputs: { rows: rows('rows', z.string()) },
    run: ({ outputs }) => outputs.rows.write('x'),
  });
  const build = (builder: PipelineBuilder): Handle => builder.step(big, {}).rows;
  const rig = await engineRig();
  const first = await rig.run(build);
  await rig.stores.artifacts.remove('file', first.finished('big').artifacts['rows']!.digest);
  const second = await rig.run(build);
  expect(second.outcomes).toEqual({ big: 'succeeded' });
  expect(second.events.find((event) => event.type === 'cache-miss')).toMatchObject({
    step: 'big',
    message: 'Its output rows is gone from the artifact store or was changed, so the step is done again',
  });
});
