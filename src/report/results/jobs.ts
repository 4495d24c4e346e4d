import type { JobLine } from '../../contracts/command-results.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

/** A job's id is a digest of 64 digits; its start is enough for `jobs logs` and `jobs cancel`. */
const shownIdLength = 12;

/** Python jobs, those that run first. */
export function jobsText(jobs: readonly JobLine[], style: Style): string {
  if (jobs.length === 0) return 'No jobs yet: training and evaluation start them.';
  return table(
    ['JOB', 'WHAT', 'STATE', 'ATTEMPT', 'PID', 'EXIT'],
    jobs.map(({ id, job, state, attempt, pid, exit }) => [
      id.slice(0, shownIdLength),
      job,
      style(state === 'lost' ? 'red' : state === 'running' ? 'cyan' : 'dim', state),
      String(attempt),
      pid === null ? '' : String(pid),
      exit ?? '',
    ]),
    (title) => style('dim', title),
  );
}

/** What became of a request to cancel a job. */
export function jobCancelledText(id: string, was: JobLine['state']): string {
  switch (was) {
    case 'running':
      return `Job ${id} was told to stop; it ends at its next step.`;
    case 'ended':
      return `Job ${id} had ended already; nothing was done.`;
    case 'lost':
      return `Job ${id} is no longer alive; nothing was done.`;
  }
}
