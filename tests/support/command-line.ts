import { join, resolve } from 'node:path';
import type { CommandContext } from '../../src/cli/context.ts';
import type { CommandOutcome, CommandResult } from '../../src/contracts/command-results.ts';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import { openReporter } from '../../src/report/open-reporter.ts';

/** The project of tests/fixtures. */
export const fixtureProject = resolve(import.meta.dirname, '../fixtures/project');

/** What a command said and how it ended. */
export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number;
  readonly events: readonly RunEvent[];
  readonly results: readonly CommandResult[];
}

/** Surroundings of a command, as a test wants them. */
export interface Surroundings {
  readonly folder: string;
  readonly project?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly profile?: string;
  readonly json?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Runs a command in this process and tells what a user would have read: ids, times and the folder replaced by what they are. */
export async function said(surroundings: Surroundings, command: (context: CommandContext) => Promise<CommandOutcome>): Promise<Said> {
  const { folder, environment = {} } = surroundings;
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({ isTTY: false, write: (text: string) => (written[name] += text) });
  const reporter = await openReporter({
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    environment,
    json: surroundings.json === true,
    quiet: false,
  });
  const events: RunEvent[] = [];
  const results: CommandResult[] = [];
  const closing: (() => Promise<void>)[] = [];
  const tell = async (result: CommandResult) => {
    results.push(result);
    await reporter.result(result);
  };
  const context: CommandContext = {
    folder,
    project: surroundings.project ?? fixtureProject,
    environment: { HOME: join(folder, 'home'), PATH: process.env['PATH'], ...environment },
    profile: surroundings.profile ?? 'embedded',
    signal: surroundings.signal ?? new AbortController().signal,
    line: 'twin run test',
    emit: (event) => {
      events.push(event);
      surroundings.onEvent?.(event);
      reporter.event(event);
    },
    tell,
    complain: (problems) => reporter.problems(problems),
    progress: (line) => reporter.progress(line),
    status: (status) => reporter.status(status),
    onEnd: (close) => void closing.push(close),
  };
  const { outcomeOf } = await import('../../src/cli/perform.ts');
  const exit = await outcomeOf(() => command(context), { ...reporter, result: tell });
  for (const close of closing.toReversed()) await close();
  const steady = (text: string) =>
    text
      .replaceAll(folder, '<folder>')
      .replaceAll(resolve(import.meta.dirname, '../..'), '<twin>')
      .replaceAll(/\d{8}-\d{6}-[a-z0-9]{4}/g, '<run>')
      .replaceAll(/(pid|process) \d+ on \S+\)/g, '$1 <pid> on <host>)')
      .replaceAll(/ +\d+(\.\d)? s\b/g, ' <time>')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<moment>')
      .replaceAll(/^\d\d:\d\d:\d\d /gm, '<clock> ');
  return { stdout: steady(written.stdout), stderr: steady(written.stderr), exit, events, results };
}
