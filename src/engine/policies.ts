/** How often a step is tried again, by class of failure, each on a budget of its own; a user error never is. */
export interface RetryPolicy {
  /** Tries in all where the surroundings fail: 3 by default. */
  readonly attempts?: number;
  /** Further tries after preemptions, which go on from a checkpoint: 10 by default. */
  readonly preemptions?: number;
  /** Further tries after memory ran out: two of a job, which is made smaller each time, none of other steps by default. */
  readonly outOfMemory?: number;
  /** Further tries after an attempt or its heartbeat timed out: none by default. */
  readonly timeouts?: number;
  /** The wait before a further try is drawn from 0 up to this, doubled with each failure, up to the maximum. */
  readonly firstDelayMs?: number;
  readonly maximumDelayMs?: number;
  /** No further try begins when the step has been at it for so long. */
  readonly totalMs?: number;
}

/** Four different limits, in milliseconds; none by default. */
export interface Timeouts {
  /** From being ready to getting room. */
  readonly queueMs?: number;
  /** Of one try. */
  readonly attemptMs?: number;
  /** From being ready to the end, with all waiting and all tries. */
  readonly totalMs?: number;
  /** Between two signs of life: progress, a count, a line of the log, a row, an event of a job. */
  readonly heartbeatMs?: number;
}
