import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localJobLauncher } from '../../../src/adapters/job-launcher/local.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import { KeeperRecord } from '../../../src/contracts/worker-protocol.ts';
import type { JobEvent } from '../../../src/contracts/worker-protocol.ts';
import { processIdentity } from '../../../src/workers/process-identity.ts';
import { startKeeper } from '../../../src/workers/start-keeper.ts';
import { echo, endless, eventsOf } from '../../support/echo-job.ts';
import { runtimeOf } from '../../support/python-runtime.ts';
import { plainPython } from '../../support/plain-python.ts';
import { skipWithout } from '../../support/python.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = plainPython();
const working = (event: JobEvent) => event.type === 'progress';
const open = (folder: string, leaseSeconds: number | null = 30, interpreter = python!) =>
  localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime: runtimeOf(interpreter), leaseSeconds });
const attempt = (folder: string, number = 1) => join(folder, 'jobs', 'job-a', 'attempts', String(number));
const keeperOf = async (folder: string) => KeeperRecord.parse(JSON.parse(await readFile(join(attempt(folder), 'keeper.json'), 'utf8')));

if (python === null) skipWithout('Python 3.10 or newer');

describe.skipIf(python === null)('a local job survives what may happen to it', () => {
  test('kill -9 of twin: its service is gone in two seconds, the job goes on and is adopted', async () => {
    const folder = await temporaryFolder();
    const twin = spawn(process.execPath, [join(import.meta.dirname, '../../workers/puppets/twin.ts'), folder, python!], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(twin.stdout, 'data')) as [Buffer];
    const { service, how } = JSON.parse(line.toString()) as { service: number; how: string };
    expect(how).toBe('started');
    expect(processIdentity(service)).not.toBeNull();
    twin.kill('SIGKILL');
    await once(twin, 'exit');
    await expect.poll(() => processIdentity(service), { timeout: 2000 }).toBeNull();
    const launcher = open(folder);
    const adopted = await launcher.submit(await echo(folder, 'job-a', endless));
    expect(adopted).toEqual({ id: 'job-a', attempt: 1, how: 'adopted' });
    expect((await eventsOf(launcher, adopted, working)).filter((event) => event.type === 'hello')).toHaveLength(1);
    await launcher.command('job-a', 'cancel');
    await eventsOf(launcher, adopted);
  });

  test('kill -9 of the keeper: the worker dies with it, following ends, and a further attempt is made', async () => {
    const folder = await temporaryFolder();
    const launcher = open(folder);
    const submission = await echo(folder, 'job-a', endless);
    const job = await launcher.submit(submission);
    await eventsOf(launcher, job, working);
    const keeper = await keeperOf(folder);
    const following = eventsOf(launcher, job);
    process.kill(keeper.pid, 'SIGKILL');
    expect((await following).at(-1)?.type).not.toBe('result');
    expect(await launcher.state('job-a')).toEqual({ state: 'lost', attempt: 1 });
    await expect.poll(() => processIdentity(keeper.worker!)).toBeNull();
    expect(await launcher.submit(submission)).toEqual({ id: 'job-a', attempt: 2, how: 'resumed' });
    await launcher.command('job-a', 'cancel');
    await eventsOf(launcher, { id: 'job-a', attempt: 2, how: 'resumed' });
  });

  test('kill -9 of the worker: the keeper says which signal it was', async () => {
    const folder = await temporaryFolder();
    const launcher = open(folder);
    const job = await launcher.submit(await echo(folder, 'job-a', endless));
    await eventsOf(launcher, job, working);
    process.kill((await keeperOf(folder)).worker!, 'SIGKILL');
    await eventsOf(launcher, job);
    expect(await launcher.state('job-a')).toMatchObject({ state: 'ended', exit: { code: null, signal: 'SIGKILL' } });
  });

  test('a launcher that died before it started a keeper: the next one starts it for the same attempt', async () => {
    const folder = await temporaryFolder();
    const submission = await echo(folder, 'job-a');
    const broken = { ...runtimeOf(python!), ready: () => Promise.resolve({ folder: '', python: join(folder, 'none'), sitePackages: '' }) };
    const dying = localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime: broken, leaseSeconds: null });
    await expect(dying.submit(submission)).rejects.toThrow('could not be started');
    const launch = join(attempt(folder), 'launch.json');
    await writeFile(launch, JSON.stringify({ ...(JSON.parse(await readFile(launch, 'utf8')) as object), start: '1' }));
    const launcher = open(folder);
    expect(await launcher.state('job-a')).toEqual({ state: 'lost', attempt: 1 });
    const job = await launcher.submit(submission);
    expect(job).toEqual({ id: 'job-a', attempt: 1, how: 'started' });
    expect((await eventsOf(launcher, job)).at(-1)?.type).toBe('result');
    expect(await readdir(join(folder, 'jobs', 'job-a', 'attempts'))).toEqual(['1']);
  });

  test('of two keepers for one attempt one runs it', async () => {
    const folder = await temporaryFolder();
    const launcher = open(folder);
    const job = await launcher.submit(await echo(folder, 'job-a', endless));
    const keeper = await keeperOf(folder);
    await startKeeper(runtimeOf(python!), attempt(folder));
    await eventsOf(launcher, job, working);
    await launcher.command('job-a', 'cancel');
    expect((await eventsOf(launcher, job)).filter((event) => event.type === 'hello')).toHaveLength(1);
    expect((await keeperOf(folder)).nonce).toBe(keeper.nonce);
  });

  test('a job that no twin follows stops at a checkpoint when its lease runs out', async () => {
    const folder = await temporaryFolder();
    const launcher = open(folder, 0.5);
    await launcher.submit(await echo(folder, 'job-a', endless));
    await expect
      .poll(() => launcher.state('job-a'), { timeout: 15_000, interval: 100 })
      .toMatchObject({ state: 'ended', exit: { code: 20 } });
    expect(await readdir(join(folder, 'jobs', 'job-a', 'checkpoints'))).toHaveLength(1);
  });

  test('following renews the lease', async () => {
    const folder = await temporaryFolder();
    const launcher = open(folder, 0.6);
    const job = await launcher.submit(await echo(folder, 'job-a', endless));
    // Twenty-five steps take twice as long as the lease.
    await eventsOf(launcher, job, (event) => event.type === 'progress' && event.data.done === 25);
    expect((await launcher.state('job-a'))?.state).toBe('running');
    await launcher.command('job-a', 'cancel');
    await eventsOf(launcher, job);
  });

  test('outputs that were taken away uncommitted are made again', async () => {
    const folder = await temporaryFolder();
    const launcher = open(folder);
    const submission = await echo(folder, 'job-a');
    await eventsOf(launcher, await launcher.submit(submission));
    await rename(join(attempt(folder), 'outputs', 'rows'), join(folder, 'elsewhere'));
    const again = await launcher.submit(submission);
    expect(again).toEqual({ id: 'job-a', attempt: 2, how: 'resumed' });
    expect((await eventsOf(launcher, again)).at(-1)?.type).toBe('result');
  });

  test('a keeper that cannot start says why', async () => {
    const folder = await temporaryFolder();
    const interpreter = join(folder, 'python');
    await writeFile(interpreter, '#!/bin/sh\necho "No module named twin_workers" >&2\nexit 1\n');
    await chmod(interpreter, 0o755);
    const failed = await open(folder, 30, interpreter)
      .submit(await echo(folder, 'job-a'))
      .catch((error: unknown) => error);
    expect((failed as ProblemError).problem).toEqual({
      reason: 'keeper-failed',
      message: 'The keeper of a job ended with exit code 1.',
      where: attempt(folder),
      found: 'No module named twin_workers',
      hint: 'Run `twin doctor` to check the Python environment.',
      exit: 1,
    });
  });
});
