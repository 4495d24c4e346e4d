import type { RunEvent } from './events/run.ts';

/** An event of a run as its log keeps it, with the time at which it was told. */
export type LoggedEvent = RunEvent & { readonly at: number };

/** A line that a step wrote to the standard streams of its process, or that its job printed. */
export interface OutputLine {
  readonly type: 'step-output';
  /** Null where nobody noted the time. */
  readonly at: number | null;
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  /** `job`: both streams of a Python job, as they came; `mark`: what the log itself says of a place where it leaves something out. */
  readonly stream: 'stdout' | 'stderr' | 'job' | 'mark';
  readonly text: string;
}

/** One line of a run's log. */
export type LogEntry = LoggedEvent | OutputLine;
