import { ProblemError } from '../contracts/problem.ts';
import { stepScope } from '../engine/step-scope.ts';

/**
 * Keeps what steps do to this process from ending it while a run goes on: an error that nobody waits for, or a call of process.exit,
 * fails the step that it came from, and the run ends in order. Returns what takes the guard away; one stands for all runs at once.
 */
export function guardSteps(): () => void {
  if (guardedRuns++ === 0) unguard = standGuard();
  return () => {
    if (--guardedRuns === 0) unguard();
  };
}

let guardedRuns = 0;
let unguard = (): void => undefined;

function standGuard(): () => void {
  const exit = process.exit;
  const guarded = (code?: number | string | null): never => {
    const scope = stepScope.getStore();
    if (scope === undefined) return exit(code);
    const error = exited(scope.step, code ?? 0);
    // Code that catches everything shall not catch this.
    scope.fail(error);
    throw error;
  };
  const stray = (error: unknown): void => {
    const scope = stepScope.getStore();
    if (scope) return scope.fail(error);
    // Not of a step: a bug of ours ends the process, as it would without this guard.
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    exit(1);
  };
  process.exit = guarded;
  process.on('uncaughtException', stray).on('unhandledRejection', stray);
  return () => {
    process.exit = exit;
    process.off('uncaughtException', stray).off('unhandledRejection', stray);
  };
}

function exited(step: string, code: number | string): ProblemError {
  return new ProblemError({
    reason: 'step-exited',
    message: `Step ${step} called process.exit(${code})`,
    where: step,
    expected: 'a step that returns, or throws',
    hint: 'Throw a ProblemError instead, which says what is wrong and where',
    exit: 1,
  });
}
