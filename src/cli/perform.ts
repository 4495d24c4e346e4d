import { usualProfile } from '../contracts/usual-profile.ts';
import type { CommandOutcome } from '../contracts/command-results.ts';
import { ProblemError } from '../contracts/problem.ts';
import { openReporter } from '../report/open-reporter.ts';
import type { Reporter } from '../report/reporter.ts';
import { captureOutput, directOutput } from './capture-output.ts';
import { type CommandContext, refused } from './context.ts';
import { watchInterrupts } from './interrupt.ts';
import { projectOf } from './project.ts';

const lingerMs = 2000;

/** What the command line says about how to run any command. */
export interface PerformOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly profile: string | undefined;
  /** Whoever started this process may go. */
  readonly detached: boolean;
  /** `twin run nightly`. */
  readonly line: string;
}

/** Runs a command in the surroundings of this process, reports what it gives back, and returns the exit code. */
export async function perform(options: PerformOptions, command: (context: CommandContext) => Promise<CommandOutcome>): Promise<number> {
  const { env, stdout, stderr } = process;
  const reporter = await openReporter({
    stdout: directOutput(stdout),
    stderr: directOutput(stderr),
    environment: env,
    json: options.json,
    quiet: options.quiet,
  });
  process.on('exit', () => reporter.close());
  // What nobody caught is told like any other bug: masked, and as one JSON line where that was asked for.
  process.on('uncaughtException', (error) => {
    reporter.problems([bug(error)]);
    process.exit(1);
  });

  const stopping = 'Stopping: what is under way is finished, and running jobs save a checkpoint. Once more ends at once.';
  const interruption = watchInterrupts(() => reporter.progress(stopping), !options.detached);
  const closing: (() => Promise<void>)[] = [];
  const folder = process.cwd();
  const context: CommandContext = {
    folder,
    project: projectOf(folder),
    environment: env,
    profile: options.profile ?? env['TWIN_PROFILE'] ?? usualProfile,
    signal: interruption.signal,
    line: options.line,
    detached: options.detached,
    emit: (event) => reporter.event(event),
    tell: (result) => reporter.result(result),
    complain: (problems) => reporter.problems(problems),
    progress: (line) => reporter.progress(line),
    status: (status) => reporter.status(status),
    onEnd: (close) => void closing.push(close),
    capture: captureOutput,
  };
  let stopsWhenAsked = false;
  const exit = await outcomeOf(async () => {
    const outcome = await command(context);
    stopsWhenAsked = outcome.stopsWhenAsked === true;
    return outcome;
  }, reporter);
  for (const close of closing.toReversed()) await close();
  reporter.close();
  interruption.dispose();
  const code = (stopsWhenAsked ? null : interruption.exitCode()) ?? exit;
  // Everything is closed; whatever still keeps the process alive (a connection to an endpoint) may not do so for long.
  setTimeout(() => process.exit(code), lingerMs).unref();
  return code;
}

/** Runs a command and reports its outcome; whatever it throws is a problem, or a bug. */
export async function outcomeOf(command: () => Promise<CommandOutcome>, reporter: Reporter): Promise<number> {
  try {
    return await report(await command(), reporter);
  } catch (error) {
    if (error instanceof ProblemError) return await report(refused([error.problem]), reporter);
    return await report(refused([bug(error)]), reporter);
  }
}

async function report({ result, problems, exit }: CommandOutcome, reporter: Reporter): Promise<number> {
  await reporter.result(result);
  if (problems.length > 0) reporter.problems(problems);
  return exit;
}

/** An error that nobody expected. */
function bug(error: unknown) {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    reason: 'bug',
    message: 'twin itself failed',
    found: stack,
    hint: 'This is a mistake in twin. Please report it with the lines above.',
    exit: 1,
  } as const;
}
