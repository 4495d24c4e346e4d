import type { Json } from './digest.ts';
import type { PlannedStep } from './run.ts';

/** One part of a fingerprint that differs from an earlier one: which part, which member of it, and both values (null: absent). */
export interface PartChange {
  readonly part: 'contract' | 'step' | 'version' | 'code' | 'params' | 'inputs' | 'ports' | 'files' | 'environment' | 'extra' | 'observed';
  /** Member of the part: a dotted param, the name of an input, a file; null where the part is one value. */
  readonly name: string | null;
  readonly before: Json;
  readonly after: Json;
}

/** Why a step will run, or ran, although an earlier result might have served. */
export type MissReason =
  | { readonly kind: 'first-time' }
  | { readonly kind: 'forced' }
  /** Compared with the nearest earlier result of that step. */
  | { readonly kind: 'changed'; readonly run: string; readonly changes: readonly PartChange[] }
  /** The outside state is not what the effect left behind. */
  | { readonly kind: 'state-changed'; readonly before: string; readonly after: string }
  /** An earlier effect began and was never committed. */
  | { readonly kind: 'interrupted'; readonly run: string }
  | { readonly kind: 'artifact-missing'; readonly output: string };

/** What will become of a step. */
export type Prediction =
  /** An earlier run made this result. */
  | { readonly kind: 'hit'; readonly run: string; readonly at: number }
  | { readonly kind: 'miss'; readonly reason: MissReason }
  /** Depends on what an earlier step will make. `changes` are those of its own that are known already: code, params, files; `made`: it has an earlier result. */
  | { readonly kind: 'unknown'; readonly until: string; readonly changes: readonly PartChange[]; readonly made: boolean }
  /** Depends on outside state that was not asked for (`--offline`), or that did not answer. */
  | { readonly kind: 'unobserved'; readonly message: string }
  | { readonly kind: 'skip'; readonly reason: 'condition' | 'slice' | 'gate-refused' | 'no-champion' };

/** A step with what will become of it. */
export interface PredictedStep extends PlannedStep {
  readonly prediction: Prediction;
  /** Of a map step whose input is known, or whose own part of the key changed: the rows that will be computed. */
  readonly rows: PlanRows | null;
  /** How long it takes if it runs, by earlier runs; null where none tells. */
  readonly expectedMs: number | null;
}

/** Rows to be computed, of so many. */
export interface PlanRows {
  readonly redo: number;
  readonly total: number;
}

/** How long a run will take, by the durations of earlier ones. */
export interface PlanEstimate {
  /** Of the steps that are known to run. */
  readonly leastMs: number;
  /** With those too of which it is not known yet. */
  readonly mostMs: number;
  /** Steps that may run and of which no earlier run tells how long they take. */
  readonly unmeasured: number;
}

/** What a run would do, in the order in which it would do it. */
export interface RunPlan {
  readonly pipeline: string;
  readonly steps: readonly PredictedStep[];
  readonly estimate: PlanEstimate;
}
