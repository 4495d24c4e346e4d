import { spawn } from 'node:child_process';
import { appendFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localJobLauncher } from '../../../src/adapters/job-launcher/local.ts';
import { promptTemplate, promptTemplateDigest } from '../../../src/contracts/prompt-template.ts';
import { protocolVersion } from '../../../src/contracts/worker-protocol.ts';
import { attemptStatus } from '../../../src/workers/attempt-folder.ts';
import { createAttempt } from '../../../src/workers/create-attempt.ts';
import { warmParent } from '../../../src/workers/warm-parent.ts';
import { jobLauncherConformance } from '../../conformance/job-launcher.ts';
import { echo, endless, eventsOf } from '../../support/echo-job.ts';
import { plainPython } from '../../support/plain-python.ts';
import { skipWithout } from '../../support/python.ts';
import { runtimeOf } from '../../support/python-runtime.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = plainPython();
if (python === null) skipWithout('Python 3.10 or newer');
else {
  jobLauncherConformance('The local launcher with a warm parent', async (folder) =>
    localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime: runtimeOf(python), leaseSeconds: 30, start: 'warm' }),
  );
}

describe.skipIf(python === null)('a warm parent', () => {
  test('leaves its keepers to init, so that its end touches no job', async () => {
    const folder = await temporaryFolder();
    const launcher = localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime: runtimeOf(python!), leaseSeconds: 30, start: 'warm' });
    const job = await launcher.submit(await echo(folder, 'job-a', endless));
    await eventsOf(launcher, job, (event) => event.type === 'progress');
    const keeper = JSON.parse(await readFile(join(folder, 'jobs', 'job-a', 'attempts', '1', 'keeper.json'), 'utf8')) as { pid: number };
    const status = await readFile(`/proc/${keeper.pid}/status`, 'utf8').catch(() => '');
    // The keeper was left to init: whatever becomes of the parent, it is nobody's child.
    expect(Number(/^PPid:\t(\d+)/m.exec(status)?.[1] ?? 1)).not.toBe(process.pid);
    await launcher.command('job-a', 'cancel');
    await eventsOf(launcher, job);
    expect(await launcher.state('job-a')).toMatchObject({ state: 'ended', exit: { code: 21 } });
  });

  test('that cannot start says so, and the job is started without one', async () => {
    const folder = await temporaryFolder();
    const broken = { ...runtimeOf(python!), ready: async () => ({ folder: '', python: '/nowhere/python', sitePackages: '' }) };
    expect(await warmParent(broken).start(folder, {})).toBe(false);
  });

  test('ends when the code of the workers has changed, and another one takes its place', async () => {
    const folder = await temporaryFolder();
    const workersFolder = join(folder, 'workers');
    await cp(join(runtimeOf(python!).workersFolder, 'twin_workers'), join(workersFolder, 'twin_workers'), { recursive: true });
    const parent = warmParent({ ...runtimeOf(python!), workersFolder });
    const start = async (id: string): Promise<boolean> => {
      const { job, params, inputs } = await echo(folder, id);
      const attempt = join(folder, id, 'attempts', '1');
      const paths = { checkpoints: join(folder, id, 'checkpoints'), outputs: { rows: join(attempt, 'outputs', 'rows') } };
      const template = { text: promptTemplate, digest: promptTemplateDigest };
      const rest = { attempt: 1, leaseSeconds: null, deadlines: null, adaptations: [], gpus: 1, promptTemplate: template };
      await createAttempt(join(folder, id), { v: protocolVersion, id, job, params, inputs, ...paths, ...rest });
      return await parent.start(attempt, {});
    };
    expect(await start('before')).toBe(true);
    await appendFile(join(workersFolder, 'twin_workers', 'keeper.py'), '\n# Another keeper.\n');
    expect(await start('changed')).toBe(false);
    expect(await start('after')).toBe(true);
    for (const id of ['before', 'after']) {
      await expect.poll(async () => (await attemptStatus(join(folder, id, 'attempts', '1'))).state, { timeout: 10_000 }).toBe('ended');
    }
  });

  test('ends when its standard input does', async () => {
    const child = spawn(python!, ['-m', 'twin_workers', 'warm'], {
      cwd: runtimeOf(python!).workersFolder,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdin.end();
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  });
});
