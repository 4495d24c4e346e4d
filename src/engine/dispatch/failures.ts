import type { AttemptEnd } from '../../contracts/attempt.ts';
import { canonicalJson } from '../../contracts/digest.ts';
import type { FingerprintParts } from '../../contracts/run.ts';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import { ClassifiedProblemError } from '../failure.ts';

/** What a worker's failure is to the run: of the same class as if it had happened here. */
export function attemptFailure(address: string, end: AttemptEnd | null): ProblemError {
  if (end === null || end.ok) return new ProblemError({ reason: 'step-threw', message: `Step ${address} ended without a result`, exit: 1 });
  return new ClassifiedProblemError(end.failure, end.problem);
}

/** The problem of a step over which one worker after the other vanished. */
export function lostEverywhere(address: string, losses: number): ProblemError {
  return new ProblemError({
    reason: 'lost',
    message: `Step ${address} was lost with its worker ${losses} times`,
    where: address,
    hint: 'Look at the logs of the workers: does the step take all memory, or end its process?',
    exit: 1,
  });
}

/** The problem of a worker that would compute something else than the run has asked for; null where it would not. */
export function mismatch(address: string, host: string, asked: FingerprintParts, own: FingerprintParts): Problem | null {
  const names = Object.keys(asked) as (keyof FingerprintParts)[];
  const different = names.filter((name) => canonicalJson(asked[name]) !== canonicalJson(own[name]));
  if (different.length === 0) return null;
  return {
    reason: 'code-mismatch',
    message: `The worker on ${host} would not do step ${address} as this run asks for`,
    where: address,
    expected: `the same ${different.join(', ')} as here`,
    found: `another ${different.join(', ')}`,
    hint: 'Bring the worker to the same commit, the same npm install and the same files, and start it again.',
    exit: 1,
  };
}
