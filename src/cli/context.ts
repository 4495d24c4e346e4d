import type { CommandOutcome, CommandResult } from '../contracts/command-results.ts';
import type { RunEvent } from '../contracts/events/run.ts';
import type { WatchStatus } from '../contracts/watch.ts';
import type { Problem } from '../contracts/problem.ts';
import type { OutputSink } from './capture-output.ts';

/** What every command is given beside its own options: the surroundings, so that a test can be them. */
export interface CommandContext {
  /** The folder that twin was started in: sources, `configs/local.yaml` and the state folder are relative to it. */
  readonly folder: string;
  /** Root of the project whose pipelines and configs are used. */
  readonly project: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly profile: string;
  /** Aborts when the user or the system asks twin to stop. */
  readonly signal: AbortSignal;
  /** `twin run nightly`: what others are told who has to wait for this process. */
  readonly line: string;
  /** Goes on without whoever started it: its jobs, too. */
  readonly detached?: boolean;
  /** Tells what happens in a run. */
  readonly emit: (event: RunEvent) => void;
  /** Says a result before the command has ended. */
  readonly tell: (result: CommandResult) => Promise<void>;
  /** Says what is wrong before the command has ended. */
  readonly complain: (problems: readonly Problem[]) => void;
  /** Says what takes its time outside of a run. */
  readonly progress: (line: string) => void;
  /** Says where something without an end stands; it replaces what was said before where that is possible. */
  readonly status: (status: WatchStatus) => void;
  /** Has something closed when the command ends, and also when twin stops in a hurry. */
  readonly onEnd: (close: () => Promise<void>) => void;
  /** Has a sink take what is printed past the reporter, until the returned function is called; absent where the streams are not ours. */
  readonly capture?: (sink: OutputSink) => () => void;
}

/** The outcome of a command that did what it should. */
export function done(result: CommandResult, exit = 0): CommandOutcome {
  return { result, problems: [], exit };
}

/** The outcome of a command that could not do what it should; the first problem's exit code is the process's. */
export function refused(problems: readonly Problem[], result: CommandResult = { type: 'none' }): CommandOutcome {
  return { result, problems, exit: problems[0]?.exit ?? 1 };
}

/** The problem of a command line that asks for something that is not there. */
export function usageProblem(reason: string, message: string, hint: string, more: Partial<Problem> = {}): Problem {
  return { reason, message, hint, exit: 2, ...more };
}

/** A flag that must be a whole number of at least one. */
export function wholeNumber(flag: string, text: string): number | Problem {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  return {
    reason: 'invalid-flag',
    message: `${flag} has a wrong value`,
    expected: 'a whole number greater than 0',
    found: text,
    hint: `For example: ${flag} 5`,
    exit: 2,
  };
}
