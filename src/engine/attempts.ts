import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from '../contracts/problem.ts';
import type { StepReason } from '../contracts/run.ts';
import { classify, problemOf } from './failure.ts';
import type { PreparedNode } from './fingerprint.ts';
import { RetryBudget } from './retry-budget.ts';
import type { Made, RunContext } from './run-context.ts';
import { hurry } from './run-options.ts';
import { watchAttempt } from './time-limits.ts';

const defaultGraceMs = 10_000;
/** A launcher makes a job that ran out of memory smaller each time, with the same result. */
const smallerTries = 2;
/** Who sends SIGTERM kills after 10 s at the earliest; a job that was told to stop comes to its checkpoint under its keeper. */
const hurriedGraceMs = 5_000;

/** How a step's work ended, after all its attempts. `leftBehind`: it did not heed its signal and may be going on. */
export type WorkEnd = (
  | { readonly kind: 'made'; readonly made: Made }
  | { readonly kind: 'failed'; readonly reason: StepReason; readonly problem: Problem }
  | { readonly kind: 'cancelled' }
) & { readonly leftBehind?: boolean };

/** What one attempt is told. */
export interface AttemptTurn {
  /** From 1. */
  readonly attempt: number;
  /** Aborts when the run is stopped, a limit is reached or the hold on the target is lost. */
  readonly signal: AbortSignal;
  /** Gives a sign of life. */
  readonly beat: () => void;
}

/** Does a step's work, again where its class of failure has budget left, within its time limits. `readyAt`: when its whole time began. */
export async function attemptWork(
  context: RunContext,
  { node: { step, address, kind } }: PreparedNode,
  { signal, readyAt }: { readonly signal: AbortSignal; readonly readyAt: number },
  work: (turn: AttemptTurn) => Promise<Made>,
): Promise<WorkEnd> {
  const budget = new RetryBudget(kind === 'job' ? { outOfMemory: smallerTries, ...step.retry } : step.retry);
  const { attemptMs = Infinity, totalMs = Infinity, heartbeatMs = Infinity } = step.timeouts ?? {};
  // A job comes to its checkpoint in its own time. Other work that does not heed the signal is left behind, its outputs in a folder of their own.
  const patientMs = kind === 'job' ? Infinity : (context.options.graceMs ?? defaultGraceMs);
  const graceMs = (): number => (signal.reason === hurry ? Math.min(patientMs, context.options.graceMs ?? hurriedGraceMs) : patientMs);
  const leftMs = (): number => totalMs - (performance.now() - readyAt);
  for (let attempt = 1; ; attempt++) {
    const limits = step.timeouts ? watchAttempt({ attemptMs, leftMs: leftMs(), totalMs, heartbeatMs }) : null;
    const attemptSignal = limits ? AbortSignal.any([signal, limits.signal]) : signal;
    let error: unknown;
    try {
      const turn = { attempt, signal: attemptSignal, beat: limits?.beat ?? noBeat };
      return { kind: 'made', made: await withGrace(work(turn), attemptSignal, graceMs) };
    } catch (thrown) {
      error = thrown;
    } finally {
      limits?.clear();
    }
    const leftBehind = error instanceof LeftBehindError;
    if (context.signal.aborted) return { kind: 'cancelled', leftBehind };
    const late = limits?.problem(address) ?? null;
    const failure = late ? 'timed-out' : classify(error);
    const problem = late ?? problemOf(error instanceof LeftBehindError ? signal.reason : error, address);
    // Nobody may touch the target of an effect beside one that is still at it; any other attempt has a folder of its own.
    const stays = leftBehind && kind === 'effect';
    const delayMs = signal.aborted || stays || leftMs() <= 0 ? null : budget.afterFailure(failure);
    if (delayMs === null) {
      return { kind: 'failed', problem, reason: late ? 'timed-out' : problem.reason === 'lost' ? 'lost' : 'error', leftBehind };
    }
    context.journal.record({ type: 'attempt-failed', step: address, attempt, failure, problem, delayMs });
    context.emit({ type: 'step-retry', run: context.run, step: address, attempt: attempt + 1, failure, delayMs, problem });
    await delay(delayMs, undefined, { signal }).catch(() => undefined);
    if (context.signal.aborted) return { kind: 'cancelled' };
  }
}

const noBeat = (): void => undefined;

/** Work went on after its signal and its grace. */
class LeftBehindError extends Error {}

/** The work's own end, or a rejection when the signal has aborted and the grace after it is over. */
function withGrace<Value>(work: Promise<Value>, signal: AbortSignal, graceAfter: () => number): Promise<Value> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      const graceMs = graceAfter();
      if (graceMs < Infinity) timer = setTimeout(() => reject(new LeftBehindError()), graceMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
  });
}
