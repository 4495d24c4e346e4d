import type { ArtifactDifference, MemberChange } from './difference.ts';
import type { RunStatus } from './run.ts';
import type { StepView } from './run-view.ts';
import type { ExplainedChange } from './why.ts';

/** One of two runs that are compared. */
export interface ComparedRun {
  readonly run: string;
  readonly pipeline: string;
  readonly profile: string;
  readonly status: RunStatus | 'running';
  readonly startedAt: number;
  readonly durationMs: number | null;
}

/** A step in which two runs differ; null for what one of them does not have. */
export interface StepDifference {
  readonly step: string;
  readonly state: { readonly before: StepView['state'] | null; readonly after: StepView['state'] | null };
  /** Milliseconds that it worked; null where it did not. */
  readonly durationMs: { readonly before: number | null; readonly after: number | null };
  /** Code, version, params, declared files and variables. */
  readonly setup: readonly ExplainedChange[];
  /** Outputs with other content. */
  readonly outputs: readonly { readonly name: string; readonly difference: ArtifactDifference }[];
  /** What it counted: rows, tokens, drops by reason. */
  readonly counts: readonly MemberChange[];
  /** The last values of its job's metrics. */
  readonly metrics: readonly MemberChange[];
}

/** `twin runs diff A B`: in what two runs differ, and what came of it. */
export interface RunDiff {
  readonly type: 'runs-diff';
  readonly before: ComparedRun;
  readonly after: ComparedRun;
  /** Steps that differ in anything, in the order of the later run. */
  readonly steps: readonly StepDifference[];
  /** Steps that are the same in both. */
  readonly same: number;
}
