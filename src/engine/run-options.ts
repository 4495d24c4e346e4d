import type { PoolSize } from './pools.ts';

/** The reason to abort a run's signal with where its jobs shall go on under their keepers: the process goes, the work stays. */
export const leaveJobs = 'leave-jobs';

/** The reason to abort a run's signal with where whoever asks will not wait for long, as systems do not that end a process. */
export const hurry = 'hurry';

/** How a run goes about its steps. */
export interface RunOptions {
  /** Addresses of steps that run although their results are known. */
  readonly force?: readonly string[];
  /** The first, the last, the only steps: an address, or a pipeline's prefix. */
  readonly from?: string;
  readonly to?: string;
  readonly only?: readonly string[];
  /** Only steps that carry one of these tags. */
  readonly tags?: readonly string[];
  /** Finish what does not depend on a failed step. */
  readonly keepGoing?: boolean;
  /** `strict`: a verdict of fail or undecided refuses the run as well. */
  readonly gate?: 'default' | 'strict';
  /** Fail where somebody else holds an effect's target, instead of waiting. */
  readonly noWait?: boolean;
  /** Steps that work at once; 2 by default. */
  readonly concurrency?: number;
  /** Named pools over all processes that share the state; one step at once where a pool is not named here. */
  readonly pools?: Readonly<Record<string, PoolSize>>;
  /** How long a step that was told to stop may take before it is left behind, in milliseconds; 10,000 by default. */
  readonly graceMs?: number;
}
