import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { slurmJobLauncher } from '../../../src/adapters/job-launcher/slurm.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import type { JobEvent } from '../../../src/contracts/worker-protocol.ts';
import { jobLauncherConformance } from '../../conformance/job-launcher.ts';
import { echo, endless, eventsOf } from '../../support/echo-job.ts';
import { plainPython } from '../../support/plain-python.ts';
import { skipWithout } from '../../support/python.ts';
import { runtimeOf } from '../../support/python-runtime.ts';
import { type SlurmCluster, slurmMissing, startSlurm } from '../../support/services/slurm.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = plainPython();
const missing = slurmMissing() ?? (python === null ? 'Python 3.10 or newer' : null);
if (missing !== null) skipWithout(missing);

describe.skipIf(missing !== null)('on a Slurm cluster of one node', () => {
  let cluster: SlurmCluster;
  let folderOfCluster: string;
  beforeAll(async () => {
    folderOfCluster = await mkdtemp(join(tmpdir(), 'twin-slurm-'));
    cluster = await startSlurm(folderOfCluster);
  }, 90_000);
  afterAll(async () => {
    cluster?.stop();
    await rm(folderOfCluster, { recursive: true, force: true });
  });

  const launcherIn = (folder: string, more: readonly string[] = [], timeLimit?: string) =>
    slurmJobLauncher({
      jobsFolder: join(folder, 'jobs'),
      runtime: runtimeOf(python!),
      leaseSeconds: 60,
      slurm: { signalSeconds: 45, arguments: more, ...(timeLimit !== undefined && { timeLimit }) },
      environment: { ...process.env, ...cluster.environment },
    });
  const working = (event: JobEvent) => event.type === 'progress';

  jobLauncherConformance('The Slurm launcher', async (folder) => launcherIn(folder));

  // Slurm waits two minutes before it starts a requeued job again, and knows no time limit below one.
  const impatient = process.env['TWIN_REQUIRE_SERVICES'] !== '1';
  test.skipIf(impatient)(
    'a job that Slurm requeues goes on from its checkpoint as a further attempt, and is adopted',
    async () => {
      const folder = await temporaryFolder();
      const launcher = launcherIn(folder);
      const submission = await echo(folder, 'job-a', endless);
      const job = await launcher.submit(submission);
      await eventsOf(launcher, job, (event) => event.type === 'progress' && event.data.done === 3);
      await launcher.command('job-a', 'save-now');
      await eventsOf(launcher, job, (event) => event.type === 'checkpoint');
      const attempt = join(folder, 'jobs', 'job-a', 'attempts', '1');
      const { id } = JSON.parse(await readFile(join(attempt, 'slurm.json'), 'utf8')) as { id: string };
      cluster.command('scontrol', 'requeue', id);
      await expect.poll(() => launcher.state('job-a'), { timeout: 180_000, interval: 500 }).toMatchObject({ state: 'running', attempt: 2 });
      const adopted = await launcher.submit(submission);
      expect(adopted).toEqual({ id: 'job-a', attempt: 2, how: 'adopted' });
      const first = (await eventsOf(launcher, adopted, working)).find(working);
      expect(first).toMatchObject({ data: { done: expect.toSatisfy((done: number) => done > 3) } });
      await launcher.command('job-a', 'cancel');
      await eventsOf(launcher, adopted);
    },
    240_000,
  );

  test.skipIf(impatient)(
    'before its time is over a job saves and stops, and the next one goes on',
    async () => {
      const folder = await temporaryFolder();
      const launcher = launcherIn(folder, [], '00:01:00');
      const submission = await echo(folder, 'job-a', endless);
      const job = await launcher.submit(submission);
      await expect
        .poll(() => launcher.state('job-a'), { timeout: 100_000, interval: 500 })
        .toMatchObject({ state: 'ended', attempt: 1, exit: { code: 20 } });
      const resumed = await launcher.submit(submission);
      expect(resumed).toEqual({ id: job.id, attempt: 2, how: 'resumed' });
      await launcher.command('job-a', 'cancel');
      await eventsOf(launcher, resumed);
    },
    150_000,
  );

  test('what Slurm refuses is said with its own words', async () => {
    const folder = await temporaryFolder();
    const refused = await launcherIn(folder, ['--partition=nowhere'])
      .submit(await echo(folder, 'job-a'))
      .catch((error: unknown) => error);
    expect((refused as ProblemError).problem).toMatchObject({
      reason: 'slurm-refused',
      message: 'Slurm refused a job: sbatch failed.',
      found: expect.stringContaining('invalid partition specified: nowhere'),
    });
  });
});
