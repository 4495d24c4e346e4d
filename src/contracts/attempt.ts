import type { ArtifactReference } from './artifact.ts';
import type { RunEvent } from './events/run.ts';
import type { Problem } from './problem.ts';
import type { FailureClass, FingerprintParts, Holder } from './run.ts';

/** What a worker made, or why it did not and whose failure that was. */
export type AttemptEnd =
  | {
      readonly ok: true;
      readonly made: {
        readonly artifacts: Readonly<Record<string, ArtifactReference>>;
        readonly counts: Readonly<Record<string, number>>;
        readonly partial?: boolean;
      };
    }
  | { readonly ok: false; readonly problem: Problem; readonly failure: FailureClass };

/** An attempt of a step that a run has handed over. Whoever takes it raises the fence: what an earlier holder commits is refused. */
export interface AttemptRow {
  readonly run: string;
  readonly pipeline: string;
  readonly address: string;
  readonly attempt: number;
  /** Key of the step: a worker that comes to another one returns the attempt. */
  readonly key: string;
  readonly parts: FingerprintParts;
  readonly params: { readonly params: unknown; readonly rows: Readonly<Record<string, unknown>> };
  readonly inputs: Readonly<Record<string, ArtifactReference>>;
  readonly forced: boolean;
  /** Rows of the input that this attempt shall put into the row cache; null: it does the whole step. */
  readonly shard: { readonly from: number; readonly to: number } | null;
  readonly pool: string;
  readonly state: 'queued' | 'running' | 'done';
  readonly fence: number;
  readonly worker: { readonly id: string; readonly holder: Holder } | null;
  readonly end: AttemptEnd | null;
  /** How often its holder has written down what the step said. */
  readonly words: number;
}

/** A process that does steps for runs on other hosts; its row is there as long as it is alive. */
export interface WorkerRow {
  readonly pool: string;
  readonly holder: Holder;
  readonly concurrency: number;
  readonly since: number;
  /** Attempts that it does, by their keys in the queue. One that runs by the journal and is not among them, nobody does. */
  readonly holds: readonly string[];
}

/** What a worker passes on of what a step says while it works. */
export type AttemptEvent = Extract<RunEvent, { type: 'step-log' | 'step-progress' }>;
