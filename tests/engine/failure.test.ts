import { expect, test } from 'vitest';
import { ProblemError } from '../../src/contracts/problem.ts';
import { ClassifiedProblemError, classify, problemOf } from '../../src/engine/failure.ts';

const reset = Object.assign(new Error('read'), { code: 'ECONNRESET' });
const busy = Object.assign(new Error('busy'), { status: 503 });
const problem = (exit: 1 | 2 | 3 | 4) => new ProblemError({ reason: 'broken', message: 'It is broken', exit });

test.each([
  ['a lost connection', reset, 'infrastructure'],
  ['a busy server behind another error', new Error('cannot embed', { cause: busy }), 'infrastructure'],
  ['a problem that a busy server caused', new ProblemError(problem(1).problem, { cause: busy }), 'infrastructure'],
  ['a bug', new TypeError('undefined is not a function'), 'user'],
  ['a problem', problem(1), 'user'],
  ['a problem that a person must solve', problem(4), 'user'],
  ['a preempted job', new ClassifiedProblemError('preempted', problem(1).problem), 'preempted'],
])('the class of %s is found', (_name, error, failure) => {
  expect(classify(error)).toBe(failure);
});

test('a problem keeps its own place, and gets the step where it has none', () => {
  expect(problemOf(problem(1), 'train').where).toBe('train');
  expect(problemOf(new ProblemError({ ...problem(1).problem, where: 'row 7' }), 'train').where).toBe('row 7');
});
