import type { ArtifactReference } from '../artifact.ts';
import type { Problem } from '../problem.ts';
import type { CheckResult, FailureClass, Holder, PlannedStep, RunStatus, StepCounts, StepOutcome, StepReason } from '../run.ts';

/** What the engine tells while it runs. Only src/report turns it into words. */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly run: string;
      readonly pipeline: string;
      readonly steps: readonly PlannedStep[];
      /** How long steps take that have run before, in milliseconds by address. */
      readonly expectedMs?: Readonly<Record<string, number>>;
    }
  /** Another process holds what this run needs. */
  | { readonly type: 'waiting'; readonly run: string; readonly target: string; readonly holder: Holder; readonly heldForMs: number }
  /** A run whose process died was closed. */
  | { readonly type: 'run-closed'; readonly run: string; readonly pipeline: string; readonly reason: 'interrupted' }
  /** Somebody asked this run to end, from another terminal or host. */
  | { readonly type: 'cancel-requested'; readonly run: string; readonly by: Holder }
  | { readonly type: 'step-started'; readonly run: string; readonly step: string; readonly attempt: number }
  | {
      readonly type: 'step-progress';
      readonly run: string;
      readonly step: string;
      readonly done: number;
      readonly total: number | null;
      /** Milliseconds to go, where total and pace allow a guess. */
      readonly remainingMs: number | null;
      readonly unit: string | null;
    }
  | { readonly type: 'step-log'; readonly run: string; readonly step: string; readonly message: string }
  /** A hit that could not be used: its artifact is gone or was changed. */
  | { readonly type: 'cache-miss'; readonly run: string; readonly step: string; readonly message: string }
  | {
      readonly type: 'step-retry';
      readonly run: string;
      readonly step: string;
      readonly attempt: number;
      readonly failure: FailureClass;
      readonly delayMs: number;
      readonly problem: Problem;
    }
  | {
      readonly type: 'job-launched';
      readonly run: string;
      readonly step: string;
      readonly job: string;
      readonly how: 'started' | 'adopted' | 'resumed';
      readonly attempt: number;
    }
  | { readonly type: 'job-phase'; readonly run: string; readonly step: string; readonly phase: string }
  /** The newest values of a job's metrics. */
  | {
      readonly type: 'job-metric';
      readonly run: string;
      readonly step: string;
      readonly at: number;
      readonly values: Readonly<Record<string, number | string>>;
    }
  | {
      readonly type: 'step-finished';
      readonly run: string;
      readonly step: string;
      readonly outcome: StepOutcome;
      readonly reason: StepReason | null;
      readonly counts: Readonly<Record<string, number>>;
      readonly artifacts: Readonly<Record<string, ArtifactReference>>;
      readonly durationMs: number;
      readonly problem: Problem | null;
      readonly checks?: readonly CheckResult[];
    }
  | RunFinished;

/** The last event of a run, and the last line of its JSON output. */
export interface RunFinished {
  readonly type: 'run-finished';
  readonly run: string;
  readonly pipeline: string;
  readonly status: RunStatus;
  readonly reason: string | null;
  readonly steps: StepCounts;
  readonly durationMs: number;
  /** The file of its report: a page of HTML. Null where it could not be written; absent where none is. */
  readonly report?: string | null;
}
