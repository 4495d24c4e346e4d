import type { ArtifactReference } from './artifact.ts';
import type { Problem } from './problem.ts';
import type {
  CheckResult,
  FailureClass,
  FingerprintParts,
  Holder,
  PlannedStep,
  RunCause,
  RunSetup,
  RunStatus,
  StepCounts,
  StepOutcome,
  StepReason,
} from './run.ts';

/** Where a step stands before its end: it waits for other steps, may begin, waits for room, or is at work. */
export type OpenState = 'pending' | 'ready' | 'queued' | 'running';

/** A step of a run as its journal tells it. */
export interface StepView extends PlannedStep {
  readonly state: OpenState | StepOutcome;
  readonly reason: StepReason | null;
  readonly attempts: number;
  /** Attempts that failed and were followed by another. */
  readonly retried?: readonly { readonly attempt: number; readonly failure: FailureClass; readonly problem: Problem }[];
  readonly key: string | null;
  readonly artifacts: Readonly<Record<string, ArtifactReference>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly durationMs: number | null;
  readonly problem: Problem | null;
  /** What was checked of the step's outputs. */
  readonly checks?: readonly CheckResult[];
  /** What decided that it ran, where the key alone does not say it. */
  readonly cause: RunCause | null;
  /** What the result depends on; null where the step did not run itself. */
  readonly parts: FingerprintParts | null;
}

/** A run as its journal tells it. */
export interface RunView {
  readonly run: string;
  readonly pipeline: string;
  readonly profile: string;
  readonly status: RunStatus | 'running';
  readonly reason: string | null;
  readonly startedAt: number;
  readonly durationMs: number | null;
  readonly holder: Holder;
  readonly origin: string | null;
  /** Null where an earlier version of twin ran it. */
  readonly setup: RunSetup | null;
  readonly counts: StepCounts;
  readonly steps: readonly StepView[];
}

/** Where an artifact comes from: the step that made it, the artifacts that it read, and the documents whose rows they carry. */
export interface LineageView {
  readonly artifact: string;
  readonly steps: readonly LineageStep[];
  readonly documents: readonly { readonly document: string; readonly revision: string }[];
}

/** A step in an artifact's past, nearest first. */
export interface LineageStep {
  readonly key: string;
  readonly step: string;
  readonly address: string;
  readonly run: string;
  readonly at: number;
  readonly parts: FingerprintParts;
  readonly artifacts: Readonly<Record<string, ArtifactReference>>;
  /** How many steps lie between it and the artifact. */
  readonly distance: number;
}
