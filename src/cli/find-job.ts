import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobLine } from '../contracts/command-results.ts';
import type { JobView } from '../contracts/job-view.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import { type ExitRecord, exitCodes } from '../contracts/worker-protocol.ts';
import type { JobLauncher, JobState } from '../ports/job-launcher.ts';
import { type CommandContext, usageProblem } from './context.ts';
import { openSession } from './session.ts';

/** The jobs of a project. */
export interface Jobs {
  readonly launcher: JobLauncher;
  /** What an hour of a job costs; null where nobody said. */
  readonly pricePerHour: number | null;
  readonly folder: string;
  readonly ids: readonly string[];
}

/** The jobs of the project that twin was started in. */
export async function openJobs(context: CommandContext): Promise<Result<Jobs, readonly Problem[]>> {
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
  const { attemptFolder, attemptRequest } = await import('../workers/attempt-folder.ts');
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

/** All that is known of a job; null where it is none. */
export async function viewOf(jobs: Jobs, id: string): Promise<JobView | null> {
  const line = await jobLine(jobs, id);
  if (line === null) return null;
  const { readJob } = await import('../workers/job-view.ts');
  const state = await jobs.launcher.state(id);
  return readJob(join(jobs.folder, id), line, jobs.pricePerHour, state?.state === 'ended' ? state.exit.usage : null);
}
