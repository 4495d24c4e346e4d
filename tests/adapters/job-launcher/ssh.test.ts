import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sshJobLauncher } from '../../../src/adapters/job-launcher/ssh.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import type { JobEvent } from '../../../src/contracts/worker-protocol.ts';
import { jobLauncherConformance } from '../../conformance/job-launcher.ts';
import { echo, eventsOf } from '../../support/echo-job.ts';
import { plainPython } from '../../support/plain-python.ts';
import { skipWithout } from '../../support/python.ts';
import { workersFolder } from '../../support/python-runtime.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { type TestSshd, startSshd } from '../../support/services/sshd.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = plainPython();
const missing = python === null ? 'Python 3.10 or newer' : findBinary('sshd') === null ? 'sshd' : null;
if (missing !== null) skipWithout(missing);

describe.skipIf(missing !== null)('on another machine over ssh', { timeout: 120_000 }, () => {
  let sshd: TestSshd;
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'twin-sshd-'));
    sshd = await startSshd(root);
  }, 60_000);
  afterAll(async () => {
    await sshd?.stop();
    await rm(root, { recursive: true, force: true });
  });

  const launcherIn = (folder: string, changes: object = {}) =>
    sshJobLauncher({
      jobsFolder: join(folder, 'jobs'),
      workersFolder,
      leaseSeconds: 60,
      remote: {
        host: '127.0.0.1',
        user: sshd.user,
        port: sshd.port,
        identityFile: sshd.identityFile,
        folder: join(folder, 'there, "quoted" it\'s'),
        python: python!,
        options: sshd.options,
        ...changes,
      },
    });

  jobLauncherConformance('The ssh launcher', async (folder) => launcherIn(folder));

  test('a network that is cut costs nothing: the job goes on, and nothing that it says is lost or doubled', async () => {
    const folder = await temporaryFolder();
    const launcher = launcherIn(folder);
    const job = await launcher.submit(await echo(folder, 'job-a', { steps: 60, secondsPerStep: 0.1 }));
    const seen: JobEvent[] = [];
    let cuts = 0;
    for await (const event of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(60_000) })) {
      seen.push(event);
      if (event.type !== 'progress' || event.data.done % 20 !== 5 || cuts > event.data.done / 20) continue;
      cuts += 1;
      sshd.cut();
      setTimeout(() => sshd.mend(), 1500);
      expect(await launcher.state('job-a')).toMatchObject({ state: 'running' });
    }
    expect(cuts).toBeGreaterThan(0);
    expect(seen.map((event) => event.seq)).toEqual(seen.map((_, index) => index + 1));
    expect(seen.flatMap((event) => (event.type === 'progress' ? [event.data.done] : []))).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
    await expect.poll(() => launcher.state('job-a'), { timeout: 20_000 }).toMatchObject({ state: 'ended', exit: { code: 0 } });
  });

  test('what a job prints is here to be read', async () => {
    const folder = await temporaryFolder();
    const launcher = launcherIn(folder);
    const job = await launcher.submit(await echo(folder, 'job-a', { steps: 10, fault: 'print', faultBytes: 5000, faultStep: 2 }));
    await eventsOf(launcher, job);
    expect(await readFile(join(folder, 'jobs', 'job-a', 'attempts', '1', 'output.log'), 'utf8')).toContain('xxxx');
  });

  test('a job that ended while nobody was there is found ended, with its outputs', async () => {
    const folder = await temporaryFolder();
    const submission = await echo(folder, 'job-a', { steps: 5, secondsPerStep: 0.05 });
    const job = await launcherIn(folder).submit(submission);
    await delay(1500);
    const later = launcherIn(folder);
    await expect.poll(() => later.state('job-a'), { timeout: 20_000 }).toMatchObject({ state: 'ended', exit: { code: 0 } });
    expect(await later.submit(submission)).toEqual({ ...job, how: 'adopted' });
    expect((await eventsOf(later, job)).at(-1)?.type).toBe('result');
  });

  test('a machine that cannot be reached is named, with what ssh said', async () => {
    const folder = await temporaryFolder();
    const refused = await launcherIn(folder, { port: 1 })
      .submit(await echo(folder, 'job-a'))
      .catch((error: unknown) => error);
    expect((refused as ProblemError).problem).toMatchObject({
      reason: 'host-unreachable',
      message: '127.0.0.1 cannot be reached over ssh.',
      found: expect.stringContaining('Connection refused'),
      hint: 'Try: ssh 127.0.0.1 true',
    });
  });
});
