import type { CommandResult } from '../contracts/command-results.ts';
import type { RunEvent } from '../contracts/events/run.ts';
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

/** The reporter for these options: JSON lines, next to nothing, a live view on a terminal, plain lines otherwise. */
export async function openReporter(options: ReportOptions): Promise<Reporter> {
  const { stdout, environment } = options;
  if (options.json) return (await import('./json-reporter.ts')).jsonReporter(options);
  if (options.quiet) return (await import('./plain-reporter.ts')).quietReporter(options);
  const live = stdout.isTTY === true && environment['TERM'] !== 'dumb' && !isContinuousIntegration(environment);
  return live ? (await import('./live-reporter.ts')).liveReporter(options) : (await import('./plain-reporter.ts')).plainReporter(options);
}

function isContinuousIntegration(environment: ReportOptions['environment']): boolean {
  const { CI } = environment;
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}
