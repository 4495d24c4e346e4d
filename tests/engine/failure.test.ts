import { expect, test } from 'vitest';
import { ProblemError } from '../../src/contracts/problem.ts';
import { PassingProblemError, isRetryable, problemOf } from '../../src/engine/failure.ts';

const reset = Object.assign(new Error('read'), { code: 'ECONNRESET' });
const busy = Object.assign(new Error('busy'), { status: 503 });
const problem = (exit: 1 | 2 | 3 | 4) => new ProblemError({ reason: 'broken', message: 'It is broken', exit });

test.each([
  ['a lost connection', reset, true, true],
  ['a busy server behind another error', new Error('cannot embed', { cause: busy }), true, true],
  ['a bug', new TypeError('undefined is not a function'), false, false],
  ['a problem', problem(1), false, true],
  ['a problem that a person must solve', problem(4), false, false],
  ['a preempted job', new PassingProblemError(problem(1).problem), true, true],
])('%s may be tried again without or with a policy of the step', (_name, error, without, withPolicy) => {
  expect([isRetryable(error, false), isRetryable(error, true)]).toEqual([without, withPolicy]);
});

test('a problem keeps its own place, and gets the step where it has none', () => {
  expect(problemOf(problem(1), 'train').where).toBe('train');
  expect(problemOf(new ProblemError({ ...problem(1).problem, where: 'row 7' }), 'train').where).toBe('row 7');
});
