import type { FailureClass } from '../contracts/run.ts';
import type { RetryPolicy } from './policies.ts';

/** What a step gets that says nothing: passing failures within seconds, preemptions for as long as a machine is wanted elsewhere. */
const defaults = {
  attempts: 3,
  preemptions: 10,
  outOfMemory: 0,
  timeouts: 0,
  firstDelayMs: 250,
  maximumDelayMs: 10_000,
  totalMs: Infinity,
};

/** Counts the failures of a step by class and says how long to wait for a further try. */
export class RetryBudget {
  readonly #policy: Required<RetryPolicy>;
  readonly #failures = new Map<FailureClass, number>();
  readonly #startedAt = performance.now();
  readonly #random: () => number;

  constructor(policy: RetryPolicy | undefined, random: () => number = Math.random) {
    this.#policy = { ...defaults, ...policy };
    this.#random = random;
  }

  /** Milliseconds to wait before the next try; null where there shall be none. */
  afterFailure(failure: FailureClass): number | null {
    const failures = (this.#failures.get(failure) ?? 0) + 1;
    this.#failures.set(failure, failures);
    if (failures > this.#allowed(failure)) return null;
    const { firstDelayMs, maximumDelayMs, totalMs } = this.#policy;
    // Full jitter: steps that failed together do not come back together.
    const delayMs = Math.round(this.#random() * Math.min(maximumDelayMs, firstDelayMs * 2 ** (failures - 1)));
    return performance.now() - this.#startedAt + delayMs > totalMs ? null : delayMs;
  }

  #allowed(failure: FailureClass): number {
    switch (failure) {
      case 'user':
        return 0;
      case 'infrastructure':
        return this.#policy.attempts - 1;
      case 'preempted':
        return this.#policy.preemptions;
      case 'out-of-memory':
        return this.#policy.outOfMemory;
      case 'timed-out':
        return this.#policy.timeouts;
    }
  }
}
