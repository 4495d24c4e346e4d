import { join } from 'node:path';
import type { CommandOutcome, JobLine } from '../../contracts/command-results.ts';
import { type CommandContext, done, refused, wholeNumber } from '../context.ts';
import { findJob, jobLine, openJobs } from '../find-job.ts';

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
