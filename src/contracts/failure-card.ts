import type { PartChange } from './plan.ts';
import type { Problem } from './problem.ts';
import type { OutputLine } from './run-log.ts';

/**
 * What kind of failure it was, by what helps: `code` to mend the code, `configuration` and `input` to change what was given,
 * `decision` a person to decide, the others to try again elsewhere, later, or with other resources.
 */
export type FailureClass =
  | 'code'
  | 'configuration'
  | 'input'
  | 'model'
  | 'out-of-memory'
  | 'timeout'
  | 'infrastructure'
  | 'preempted'
  | 'divergence'
  | 'decision';

/** The innermost line of the user's own code, steps or jobs, that the failure went through. */
export interface UserFrame {
  readonly language: 'typescript' | 'python';
  readonly file: string;
  readonly line: number;
  /** The function that it stands in; null at the top of a module. */
  readonly in: string | null;
  /** The line and those around it, where the file can be read. */
  readonly source: readonly { readonly line: number; readonly text: string }[];
}

/** All that helps with a step that failed, on one card. */
export interface FailureCard {
  readonly type: 'failure';
  readonly run: string;
  readonly step: string;
  readonly attempts: number;
  readonly class: FailureClass;
  readonly problem: Problem;
  readonly frame: UserFrame | null;
  /** The last lines that the step or its job printed or logged, oldest first. */
  readonly lastLines: readonly Pick<OutputLine, 'at' | 'stream' | 'text'>[];
  /** What differs from the last run in which the step succeeded; null where it never did, or where its key was not known yet. */
  readonly since: { readonly run: string; readonly at: number; readonly changes: readonly PartChange[] } | null;
  /** Earlier failures of this step with the same message, numbers and ids aside. */
  readonly similar: { readonly count: number; readonly last: { readonly run: string; readonly at: number } | null };
  /** The command that goes on from here. */
  readonly resume: string;
}
