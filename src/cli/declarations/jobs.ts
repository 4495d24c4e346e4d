import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about Python jobs. */
export function declareJobs(program: Command): void {
  const jobs = group(program, 'jobs', 'Python jobs: list, logs, cancel');
  declare(
    jobs,
    'list',
    'list jobs, running ones first',
    ['twin jobs list', 'twin jobs list --json'],
    async () => (await import('../commands/jobs.ts')).listJobs,
  );
  declare(
    jobs,
    'logs <job>',
    'print the last lines that a job wrote',
    ['twin jobs logs 1f9b', 'twin jobs logs 1f9b --lines 500'],
    async () => (await import('../commands/jobs.ts')).jobLogs,
  ).option('--lines <count>', 'how many at most', '100');
  declare(
    jobs,
    'cancel <job>',
    'tell a job to stop for good',
    ['twin jobs cancel 1f9b'],
    async () => (await import('../commands/jobs.ts')).cancelJob,
  );
}
