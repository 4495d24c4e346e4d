import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from '../contracts/problem.ts';
import type { StepReason } from '../contracts/run.ts';
import type { RetryPolicy } from './define.ts';
import { isRetryable, problemOf } from './failure.ts';
import type { PreparedNode } from './fingerprint.ts';
import type { Made, RunContext } from './run-context.ts';

/** What passing failures get where a step says nothing: three tries within a few seconds. */
const defaultPolicy: Required<RetryPolicy> = { attempts: 3, firstDelayMs: 250, maximumDelayMs: 10_000 };
const defaultGraceMs = 10_000;

/** How a step's work ended, after all its attempts. */
export type WorkEnd =
  | { readonly kind: 'made'; readonly made: Made }
  | { readonly kind: 'failed'; readonly reason: StepReason; readonly problem: Problem }
  | { readonly kind: 'cancelled' };

/** Does a step's work, again where a failure may pass, within its time limits. */
export async function attemptWork(
  context: RunContext,
  { node: { step, address, kind } }: PreparedNode,
  signal: AbortSignal,
  work: (attempt: number, signal: AbortSignal) => Promise<Made>,
): Promise<WorkEnd> {
  const policy = { ...defaultPolicy, ...step.retry };
  // A job comes to its checkpoint in its own time, and nobody else may touch the target of an effect before it has ended.
  // Other work that does not heed the signal is left behind, its outputs in a folder of their own.
  const graceMs = kind === 'job' || kind === 'effect' ? Infinity : (context.options.graceMs ?? defaultGraceMs);
  const startedAt = performance.now();
  const leftMs = (): number => (step.timeouts?.totalMs ?? Infinity) - (performance.now() - startedAt);
  for (let attempt = 1; ; attempt++) {
    const limitMs = Math.min(step.timeouts?.attemptMs ?? Infinity, leftMs());
    const limit = limitMs === Infinity ? null : timeLimit(limitMs);
    let error: unknown;
    try {
      const attemptSignal = limit ? AbortSignal.any([signal, limit.signal]) : signal;
      return { kind: 'made', made: await withGrace(work(attempt, attemptSignal), attemptSignal, graceMs) };
    } catch (thrown) {
      error = thrown;
    } finally {
      limit?.clear();
    }
    if (context.signal.aborted) return { kind: 'cancelled' };
    const tooLong = limit?.signal.aborted ?? false;
    const problem = tooLong ? timedOut(address, limitMs) : problemOf(error, address);
    const mayPass = !signal.aborted && (tooLong ? step.retry !== undefined : isRetryable(error, step.retry !== undefined));
    if (!mayPass || attempt >= policy.attempts || leftMs() <= 0) {
      return { kind: 'failed', problem, reason: tooLong ? 'timed-out' : problem.reason === 'lost' ? 'lost' : 'error' };
    }
    // Full jitter: steps that failed together do not come back together.
    const delayMs = Math.round(Math.random() * Math.min(policy.maximumDelayMs, policy.firstDelayMs * 2 ** (attempt - 1)));
    context.emit({ type: 'step-retry', run: context.run, step: address, attempt: attempt + 1, delayMs, problem });
    await delay(delayMs, undefined, { signal }).catch(() => undefined);
    if (context.signal.aborted) return { kind: 'cancelled' };
  }
}

function timeLimit(milliseconds: number): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), Math.max(0, milliseconds));
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

/** The work's own end, or a rejection when the signal has aborted and the grace after it is over. */
function withGrace<Value>(work: Promise<Value>, signal: AbortSignal, graceMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      if (graceMs < Infinity) timer = setTimeout(() => reject(signal.reason as Error), graceMs);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
  });
}

function timedOut(address: string, limitMs: number): Problem {
  return {
    reason: 'timed-out',
    message: `Step ${address} took longer than it may`,
    where: address,
    expected: `at most ${Math.round(limitMs)} ms`,
    hint: 'Raise the timeouts of the step, or give it less to do',
    exit: 1,
  };
}
