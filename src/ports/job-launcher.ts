import type { CodeParts } from '../contracts/digest-parts.ts';
import type { ExitRecord, JobCommand, JobEvent, JobRequest } from '../contracts/worker-protocol.ts';

/** What is asked of a launcher: a request without what the launcher itself decides. */
export interface JobSubmission {
  /** The idempotency key: the key of the step. Submitting it twice returns the first. */
  readonly id: string;
  readonly job: string;
  readonly params: JobRequest['params'];
  /** Local paths of input artifacts. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of outputs; the launcher decides where they are written. */
  readonly outputs: readonly string[];
}

/** Where a job stands. */
export type JobState =
  | { readonly state: 'running'; readonly attempt: number; readonly pid: number }
  | {
      readonly state: 'ended';
      readonly attempt: number;
      readonly exit: ExitRecord;
      readonly outputs: Readonly<Record<string, string>>;
      readonly lastLines: readonly string[];
    }
  /** The keeper vanished without an exit record. */
  | { readonly state: 'lost'; readonly attempt: number };

/** A job that was found running, ended, or was started now. */
export interface SubmittedJob {
  readonly id: string;
  readonly attempt: number;
  /** `adopted`: another process of twin had started it. */
  readonly how: 'started' | 'adopted' | 'resumed';
}

/** Starts Python jobs and follows them; a job outlives the process that started it. */
export interface JobLauncher {
  /** Names the Python environment and the job's code: part of the fingerprint of every job step. */
  identity(job: string): Promise<string>;
  /** What the identity was made of, where the launcher can say so: an explanation names the file that changed. */
  codeParts?(job: string): Promise<CodeParts>;
  /**
   * Create or return: a live job of this id is adopted; one that ended well is returned as it is;
   * one that was lost, preempted or failed gets a further attempt, which resumes from the last good checkpoint.
   */
  submit(submission: JobSubmission): Promise<SubmittedJob>;
  /** The events of an attempt from `afterSeq` on (0 for all), live, until it has ended or `signal` aborts; renews the lease meanwhile. */
  follow(job: SubmittedJob, options: { readonly afterSeq: number; readonly signal: AbortSignal }): AsyncIterable<JobEvent>;
  state(id: string): Promise<JobState | null>;
  command(id: string, command: JobCommand['command']): Promise<void>;
  /** Ids of jobs that are running now. */
  running(): Promise<readonly string[]>;
}
