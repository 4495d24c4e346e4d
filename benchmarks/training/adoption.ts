import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { localJobLauncher } from '../../src/adapters/job-launcher/local.ts';
import { processIdentity } from '../../src/workers/process-identity.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';
import { echo, endless, eventsOf } from '../../tests/support/echo-job.ts';

const puppet = resolve(import.meta.dirname, '../../tests/workers/puppets/twin.ts');

/** What came of a twin that was killed with its job and its service. */
export interface Adoption {
  /** From the kill until another twin had adopted the job and heard of its progress. */
  readonly seconds: number;
  /** Services that lived two seconds after the kill. */
  readonly orphans: number;
  /** Workers of the job beyond the first. */
  readonly doubled: number;
}

/** Kills a twin with SIGKILL while its job runs, and lets another one take the job over. */
export async function timeAdoption(runtime: PythonRuntime, folder: string): Promise<Adoption> {
  await mkdir(folder, { recursive: true });
  const { python } = await runtime.ready();
  const twin = spawn(process.execPath, [puppet, folder, python], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(twin.stdout, 'data')) as [Buffer];
  const { service } = JSON.parse(line.toString()) as { service: number };
  const killed = performance.now();
  twin.kill('SIGKILL');
  const launcher = localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime, leaseSeconds: 30 });
  const job = await launcher.submit(await echo(folder, 'job-a', endless));
  const events = await eventsOf(launcher, job, (event) => event.type === 'progress');
  const seconds = (performance.now() - killed) / 1000;
  await delay(Math.max(0, 2000 - seconds * 1000));
  const orphans = processIdentity(service) === null ? 0 : 1;
  await launcher.command('job-a', 'cancel');
  await eventsOf(launcher, job);
  const workers = events.filter((event) => event.type === 'hello').length;
  return { seconds, orphans, doubled: job.how === 'adopted' ? workers - 1 : workers };
}
