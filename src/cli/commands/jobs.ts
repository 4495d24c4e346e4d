import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandOutcome, JobLine } from '../../contracts/command-results.ts';
import type { Problem, Result } from '../../contracts/problem.ts';
import { type ExitRecord, exitCodes } from '../../contracts/worker-protocol.ts';
import type { JobLauncher, JobState } from '../../ports/job-launcher.ts';
import { type CommandContext, done, refused, usageProblem, wholeNumber } from '../context.ts';
import { openSession } from '../session.ts';

/** The jobs of a project. */
export interface Jobs {
  readonly launcher: JobLauncher;
  /** What an hour of a job costs; null where nobody said. */
  readonly pricePerHour: number | null;
  readonly folder: string;
  readonly ids: readonly string[];
}

/** `twin jobs list`: running jobs first. */
export async function listJobs(context: CommandContext): Promise<CommandOutcome> {
  const jobs = await openJobs(context);
  if (!jobs.ok) return refused(jobs.error);
  const lines = await Promise.all(jobs.value.ids.map((id) => jobLine(jobs.value, id)));
  const known = lines.filter((line) => line !== null);
  const running = (line: JobLine) => (line.state === 'running' ? 0 : 1);
  return done({ type: 'jobs', jobs: known.toSorted((left, right) => running(left) - running(right)) });
}

/** `twin jobs logs <job>`: the last lines that its processes printed, and those to come. */
export async function jobLogs(
  context: CommandContext,
  options: { readonly lines: string; readonly follow?: true },
  name: string,
): Promise<CommandOutcome> {
  const count = wholeNumber('--lines', options.lines);
  if (typeof count !== 'number') return refused([count]);
  const found = await findJob(context, name);
  if (!found.ok) return refused(found.error);
  const { attemptFolder, lastAttempt, lastLines } = await import('../../workers/attempt-folder.ts');
  const { jobs, id } = found.value;
  if (options.follow === true) return (await import('./jobs-attach.ts')).followLog(context, jobs, id, count);
  const folder = join(jobs.folder, id);
  const lines = await lastLines(attemptFolder(folder, await lastAttempt(folder)));
  return done({ type: 'job-logs', id, lines: lines.slice(-count) });
}

/** `twin jobs cancel <job>`: it ends for good at its next step. */
export async function cancelJob(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const found = await findJob(context, name);
  if (!found.ok) return refused(found.error);
  const { jobs, id } = found.value;
  const was = (await jobs.launcher.state(id))?.state ?? 'lost';
  if (was === 'running') await jobs.launcher.command(id, 'cancel');
  return done({ type: 'job-cancelled', id, was });
}

async function openJobs(context: CommandContext): Promise<Result<Jobs, readonly Problem[]>> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return session;
  const { wired, config } = session.value;
  const folder = wired.state.jobs;
  const ids = await readdir(folder).catch(() => []);
  return {
    ok: true,
    value: { launcher: await wired.ports.open('jobLauncher'), folder, ids, pricePerHour: config.jobLauncher.pricePerHour },
  };
}

/** The one job whose id begins like this. */
export async function findJob(
  context: CommandContext,
  name: string,
): Promise<Result<{ readonly jobs: Jobs; readonly id: string }, readonly Problem[]>> {
  const jobs = await openJobs(context);
  if (!jobs.ok) return jobs;
  const matching = jobs.value.ids.filter((id) => id.startsWith(name));
  if (matching.length === 1) return { ok: true, value: { jobs: jobs.value, id: matching[0]! } };
  const problem =
    matching.length === 0
      ? usageProblem('unknown-job', `There is no job ${name}`, 'See: twin jobs list')
      : usageProblem('ambiguous-name', `${name} begins ${matching.length} jobs`, 'Give more of its id.', {
          found: matching.slice(0, 5).join(', '),
        });
  return { ok: false, error: [problem] };
}

/** A job in one line; null where nothing is left of it. */
export async function jobLine({ launcher, folder }: Jobs, id: string): Promise<JobLine | null> {
  const { attemptFolder, attemptRequest } = await import('../../workers/attempt-folder.ts');
  const state = await launcher.state(id);
  if (state === null) return null;
  const request = await attemptRequest(attemptFolder(join(folder, id), state.attempt)).catch(() => null);
  return {
    type: 'job',
    id,
    job: request?.job ?? '',
    state: state.state,
    attempt: state.attempt,
    pid: state.state === 'running' ? state.pid : null,
    exit: exitWords(state),
    folder: join(folder, id),
  };
}

function exitWords(state: JobState): string | null {
  if (state.state !== 'ended') return null;
  const { code, signal }: ExitRecord = state.exit;
  if (code === null) return `ended by ${signal ?? 'a signal'}`;
  const known = exitCodes[code as keyof typeof exitCodes] as { readonly reason: string } | undefined;
  return known === undefined ? String(code) : `${code} ${known.reason}`;
}
