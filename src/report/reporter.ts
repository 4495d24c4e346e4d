import type { CommandResult } from '../contracts/command-results.ts';
import type { RunEvent } from '../contracts/events/run.ts';
import type { WatchStatus } from '../contracts/watch.ts';
import type { Problem } from '../contracts/problem.ts';

/** Where words go. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Tells a person or a program what happens. */
export interface Reporter {
  event(event: RunEvent): void;
  /** A line on what takes its time outside of a run: building the Python environment, say. */
  progress(line: string): void;
  /** Where something without an end stands. */
  status(status: WatchStatus): void;
  result(result: CommandResult): Promise<void>;
  problems(problems: readonly Problem[]): void;
  /** Leaves the terminal as it was found. */
  close(): void;
}

/** How to report, as flags and surroundings say. */
export interface ReportOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly quiet: boolean;
}
