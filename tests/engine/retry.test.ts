import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import type { FailureClass } from '../../src/contracts/run.ts';
import { type RetryPolicy, type Timeouts, defineStep } from '../../src/engine/define.ts';
import { ClassifiedProblemError } from '../../src/engine/failure.ts';
import { RetryBudget } from '../../src/engine/retry-budget.ts';
import { showRun } from '../../src/history/runs.ts';
import { engineRig } from '../support/engine-rig.ts';

const number = json('number', z.number());
const failing = (...failures: readonly FailureClass[]) => {
  const left = [...failures];
  return () => {
    const failure = left.shift();
    if (failure) throw new ClassifiedProblemError(failure, { reason: failure, message: `It was ${failure}`, exit: 1 });
  };
};
const work = (act: () => unknown, retry: RetryPolicy, timeouts?: Timeouts) =>
  defineStep({
    name: 'work',
    version: 1,
    summary: 'Work',
    params: z.strictObject({}),
    inputs: {},
    outputs: { number },
    retry: { firstDelayMs: 1, ...retry },
    ...(timeouts && { timeouts }),
    async run({ outputs }) {
      await act();
      await outputs.number.write(1);
    },
  });
const runOf = async (step: ReturnType<typeof work>, options = {}) => {
  const rig = await engineRig();
  const { outcomes, end, events } = await rig.run((builder) => builder.step(step, {}), { graceMs: 1, ...options });
  const shown = await showRun(rig.stores.metadata, end.run);
  return { outcome: outcomes['work'], problem: end.problem, events, view: shown.ok ? shown.value.steps[0]! : null };
};

describe('a failure', () => {
  test('of each class has a budget of its own, and the journal tells each attempt', async () => {
    const { outcome, view } = await runOf(
      work(failing('infrastructure', 'preempted', 'out-of-memory', 'preempted', 'infrastructure'), { outOfMemory: 1, preemptions: 2 }),
    );
    expect(outcome).toBe('succeeded');
    expect(view?.attempts).toBe(6);
    expect(view?.retried?.map(({ attempt, failure }) => `${attempt} ${failure}`)).toEqual([
      '1 infrastructure',
      '2 preempted',
      '3 out-of-memory',
      '4 preempted',
      '5 infrastructure',
    ]);
  });

  test.each([
    ['infrastructure', {}, 3],
    ['preempted', { preemptions: 1 }, 2],
    ['out-of-memory', {}, 1],
    ['user', { attempts: 9, preemptions: 9, outOfMemory: 9, timeouts: 9 }, 1],
  ] as const)('of class %s fails the step once its budget is used up', async (failure, policy, attempts) => {
    const { outcome, view } = await runOf(work(failing(...Array.from({ length: 20 }, () => failure)), policy));
    expect(outcome).toBe('failed error');
    expect(view?.attempts).toBe(attempts);
  });
});

describe('the wait before another try', () => {
  test('doubles at most, never passes the maximum, and is drawn from the whole range', () => {
    const waits = (random: number) => {
      const budget = new RetryBudget({ attempts: 6, firstDelayMs: 100, maximumDelayMs: 500 }, () => random);
      return Array.from({ length: 6 }, () => budget.afterFailure('infrastructure'));
    };
    expect(waits(1)).toEqual([100, 200, 400, 500, 500, null]);
    expect(waits(0.5)).toEqual([50, 100, 200, 250, 250, null]);
    expect(waits(0)).toEqual([0, 0, 0, 0, 0, null]);
  });

  test('is not begun where it would end after the whole time', () => {
    expect(new RetryBudget({ firstDelayMs: 1000, totalMs: 900 }, () => 1).afterFailure('infrastructure')).toBeNull();
  });
});

describe('the limits of a step', () => {
  const never = () => new Promise<void>(() => undefined);

  test('name the one that was reached', async () => {
    const message = async (timeouts: Timeouts) => {
      const { outcome, problem } = await runOf(work(never, {}, timeouts));
      return `${outcome}: ${problem?.message}; expected ${problem?.expected}`;
    };
    expect(await message({ attemptMs: 5 })).toBe(
      'failed timed-out: Step work took longer than it may; expected at most 5 ms for one attempt (timeouts.attemptMs)',
    );
    expect(await message({ attemptMs: 5000, totalMs: 5 })).toBe(
      'failed timed-out: Step work took longer than it may with all its waiting and attempts; expected at most 5 ms in all (timeouts.totalMs)',
    );
    expect(await message({ heartbeatMs: 20 })).toBe(
      'failed timed-out: Step work gave no sign of life; expected progress, a count, a line, a row or an event every 20 ms (timeouts.heartbeatMs)',
    );
  });

  test('leave a step alone that gives signs of life', async () => {
    const step = defineStep({
      name: 'work',
      version: 1,
      summary: 'Work',
      params: z.strictObject({}),
      inputs: {},
      outputs: { number },
      timeouts: { heartbeatMs: 200 },
      async run({ outputs, progress }) {
        for (let done = 0; done < 30; done++) {
          progress(done);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await outputs.number.write(1);
      },
    });
    expect((await runOf(step as never)).outcome).toBe('succeeded');
  });

  test('start a further attempt where the policy has one for it', async () => {
    let tries = 0;
    const { outcome, view } = await runOf(work(() => (++tries === 1 ? never() : undefined), { timeouts: 1 }, { attemptMs: 30 }));
    expect(outcome).toBe('succeeded');
    expect(view?.retried?.map(({ failure }) => failure)).toEqual(['timed-out']);
  });
});
