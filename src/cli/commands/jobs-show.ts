import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { JobView } from '../../contracts/job-view.ts';
import type { Problem, Result } from '../../contracts/problem.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { openSession } from '../session.ts';
import { type Jobs, findJob, viewOf } from '../find-job.ts';

/** `twin jobs show <job>`: where it stands, what it was asked for, and how its metrics went. */
export async function showJob(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const found = await findJob(context, name);
  if (!found.ok) return refused(found.error);
  const view = await viewOf(found.value.jobs, found.value.id);
  return view === null ? refused([gone(name)]) : done({ type: 'job-shown', view });
}

/** `twin jobs compare <job> <job> …`: what was asked for differently, and what came of it; a sweep names the jobs of its variants. */
export async function compareJobs(context: CommandContext, _options: object, ...names: readonly string[]): Promise<CommandOutcome> {
  const views: JobView[] = [];
  const problems: Problem[] = [];
  const jobs = await Promise.all(names.flat().map((name) => namedJobs(context, name, problems)));
  for (const name of jobs.flat()) {
    const found: Result<{ readonly jobs: Jobs; readonly id: string }, readonly Problem[]> = await findJob(context, name);
    if (!found.ok) {
      problems.push(...found.error);
      continue;
    }
    const view = await viewOf(found.value.jobs, found.value.id);
    if (view === null) problems.push(gone(name));
    else views.push(view);
  }
  if (problems.length > 0) return refused(problems);
  return done({ type: 'jobs-compared', views });
}

/** The jobs that a name stands for: itself, or those of a sweep. */
async function namedJobs(context: CommandContext, name: string, problems: Problem[]): Promise<readonly string[]> {
  if (!name.startsWith('sweep-')) return [name];
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) {
    problems.push(...session.error);
    return [];
  }
  const { wired } = session.value;
  const { jobsOfSweep } = await import('../sweep-members.ts');
  const jobs = await jobsOfSweep(await wired.journal(), wired.state.jobs, name);
  if (jobs.length === 0)
    problems.push(usageProblem('unknown-sweep', `There are no jobs of ${name}`, 'twin runs show <run> names the sweep of a run'));
  return jobs;
}

/** `twin jobs save <job>`: a checkpoint at its next step; it goes on. */
export async function saveJob(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const found = await findJob(context, name);
  if (!found.ok) return refused(found.error);
  const { jobs, id } = found.value;
  await jobs.launcher.command(id, 'save-now');
  return done({ type: 'job-saving', id });
}

function gone(name: string): Problem {
  return usageProblem('unknown-job', `There is nothing left of job ${name}`, 'See: twin jobs list');
}
