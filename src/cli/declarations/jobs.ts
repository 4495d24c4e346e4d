import type { Command } from 'commander';
import { declare, group } from './declare.ts';

/** Commands about Python jobs. */
export function declareJobs(program: Command): void {
  const jobs = group(program, 'jobs', 'Python jobs: list, show, logs, attach, save, cancel, compare, devices, release-device');
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
    ['twin jobs logs 1f9b', 'twin jobs logs 1f9b -f', 'twin jobs logs 1f9b --lines 500'],
    async () => (await import('../commands/jobs.ts')).jobLogs,
  )
    .option('--lines <count>', 'how many at most', '100')
    .option('-f, --follow', 'go on until the job has ended');
  declare(
    jobs,
    'show <job>',
    'show where a job stands, what it was asked for, and the curves of its metrics',
    ['twin jobs show 1f9b', 'twin jobs show 1f9b --json'],
    async () => (await import('../commands/jobs-show.ts')).showJob,
  );
  declare(
    jobs,
    'attach <job>',
    'follow a job until it ends: loss, margins, speed, memory, what is left; leaving changes nothing',
    ['twin jobs attach 1f9b'],
    async () => (await import('../commands/jobs-attach.ts')).attachJob,
  );
  declare(
    jobs,
    'save <job>',
    'have a job write a checkpoint at its next step and go on',
    ['twin jobs save 1f9b'],
    async () => (await import('../commands/jobs-show.ts')).saveJob,
  );
  declare(
    jobs,
    'compare <jobs...>',
    'compare jobs, or those of a sweep: what was asked for differently, and what came of it',
    ['twin jobs compare 1f9b 77c0', 'twin jobs compare sweep-20261126-174708-xbgm'],
    async () => (await import('../commands/jobs-show.ts')).compareJobs,
  );
  declare(
    jobs,
    'devices',
    'list the GPUs of this machine, which job has them, and which are kept from jobs because they failed',
    ['twin jobs devices', 'twin jobs devices --json'],
    async () => (await import('../commands/jobs-devices.ts')).showDevices,
  );
  declare(
    jobs,
    'release-device <uuid>',
    'give a device to jobs again that failed',
    ['twin jobs release-device GPU-8c3e'],
    async () => (await import('../commands/jobs-devices.ts')).releaseDevice,
  );
  declare(
    jobs,
    'cancel <job>',
    'tell a job to stop for good',
    ['twin jobs cancel 1f9b'],
    async () => (await import('../commands/jobs.ts')).cancelJob,
  );
}
