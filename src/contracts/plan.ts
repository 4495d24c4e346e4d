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
  /** Depends on what an earlier step will make. `changes` are those of its own that are known already: code, params, files. */
  | { readonly kind: 'unknown'; readonly until: string; readonly changes: readonly PartChange[] }
  /** Depends on outside state that was not asked for (`--offline`), or that did not answer. */
  | { readonly kind: 'unobserved'; readonly message: string }
  | { readonly kind: 'skip'; readonly reason: 'condition' | 'slice' | 'gate-refused' | 'no-champion' };

/** A step with what will become of it. */
export interface PredictedStep extends PlannedStep {
  readonly prediction: Prediction;
}

/** What a run would do, in the order in which it would do it. */
export interface RunPlan {
  readonly pipeline: string;
  readonly steps: readonly PredictedStep[];
}
