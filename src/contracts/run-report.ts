import type { Curve } from './curve.ts';
import type { FailureCard } from './failure-card.ts';
import type { MissReason } from './plan.ts';
import type { OutputLine } from './run-log.ts';
import type { RunView } from './run-view.ts';

/** One stretch of a step's time. */
export interface TimelineSpan {
  /** `waiting`: for its turn, for a lock, or between two attempts. */
  readonly kind: 'waiting' | 'working' | 'failed';
  /** Milliseconds since the run started. */
  readonly from: number;
  readonly to: number;
  readonly attempt: number | null;
}

/** All that the report of a run shows. */
export interface RunReport {
  readonly view: RunView;
  readonly failures: readonly FailureCard[];
  /** When each step did what, by address; steps that took no time of their own have none. */
  readonly timeline: ReadonlyMap<string, readonly TimelineSpan[]>;
  /** Why each step that ran did so, by address, as far as that is known. */
  readonly why: ReadonlyMap<string, MissReason>;
  /** The run that made the result of each cached step, by address. */
  readonly madeBy: ReadonlyMap<string, string>;
  /** The last lines of each step that said something. */
  readonly lines: ReadonlyMap<string, readonly Pick<OutputLine, 'at' | 'stream' | 'text'>[]>;
  readonly curves: readonly { readonly step: string; readonly job: string; readonly curve: Curve }[];
  /** What it ran on: versions, host, environment. */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  /** When the report was made, in milliseconds. */
  readonly at: number;
}
