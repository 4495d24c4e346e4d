import type { ArtifactDifference, CodeDifference } from './difference.ts';
import type { PartChange, Prediction } from './plan.ts';
import type { RunCause, StepReason } from './run.ts';

/** A part of a key that changed, with all that is known of how it came to that. */
export interface ExplainedChange extends PartChange {
  /** Where the value was given then and is given now, of a param: `--set`, `configs/base.yaml:3`, a place of the wiring, `default`. */
  readonly origin: { readonly before: string | null; readonly after: string | null } | null;
  /** The modules and packages that differ; null where that is not known, or it is not code. */
  readonly code: CodeDifference | null;
  /** Of a map step that the step drives, or of anything else that has parts of its own: what changed in it. */
  readonly within: readonly ExplainedChange[];
  /** Of an input: how its content differs. */
  readonly content: ArtifactDifference | null;
  /** Of an input: why the step that made it made something else; null where that is not known. */
  readonly cause: { readonly step: string; readonly run: string; readonly changes: readonly ExplainedChange[] } | null;
}

/** Why a step did, or would do, what it did. */
export interface StepExplanation {
  readonly step: string;
  /** What became of the step, or will: an outcome of a run, or a prediction. */
  readonly outcome: 'succeeded' | 'failed' | 'cached' | 'skipped' | 'cancelled' | 'pending' | 'running' | Prediction['kind'];
  readonly why:
    | RunCause
    | { readonly kind: 'first-time' }
    | { readonly kind: 'changed' }
    /** Nothing changed since that run made the result. */
    | { readonly kind: 'hit'; readonly run: string; readonly at: number }
    | { readonly kind: 'ended'; readonly reason: StepReason | null }
    /** It waits for what that step will make; `made` where there is an earlier result at all. */
    | { readonly kind: 'unknown'; readonly until: string; readonly made: boolean }
    | { readonly kind: 'unobserved'; readonly message: string };
  /** The earlier result that the key was compared with. */
  readonly against: { readonly run: string; readonly at: number } | null;
  readonly changes: readonly ExplainedChange[];
}

/** `twin why STEP`: of a step of a run, or of what a run would do now. */
export interface WhyResult {
  readonly type: 'why';
  readonly pipeline: string;
  /** Null: what a run would do now. */
  readonly run: string | null;
  readonly explanation: StepExplanation;
  /** Of a step that must wait for others: those that will run before it. */
  readonly upstream: readonly StepExplanation[];
  /** Of a hit: why the run that made the result did so. */
  readonly made: StepExplanation | null;
}
