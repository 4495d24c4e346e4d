import { execFile } from 'node:child_process';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { z } from 'zod';
import { ProblemError } from '../../contracts/problem.ts';
import { ProcessIdentity } from '../../contracts/worker-protocol.ts';
import type { JobLauncher } from '../../ports/job-launcher.ts';
import { type AttemptStatus, attemptStatus, lastAttempt } from '../../workers/attempt-folder.ts';
import { type AttemptLauncherOptions, type AttemptPlace, appendCommand, attemptLauncher } from '../../workers/attempt-launcher.ts';
import { followAttempt } from '../../workers/follow-attempt.ts';
import { jobCodeDigest } from '../../workers/job-code.ts';
import { isAlive, processIdentity } from '../../workers/process-identity.ts';
import { type PythonRuntime, workerVariables } from '../../workers/python-runtime.ts';
import { shellWord } from '../../workers/shell-word.ts';

const run = promisify(execFile);

/** What is asked of the cluster for each job. */
export interface SlurmOptions {
  readonly partition?: string | undefined;
  readonly account?: string | undefined;
  /** As sbatch takes it: `04:00:00`. */
  readonly timeLimit?: string | undefined;
  /** Seconds before the time limit at which a job is told to save and stop. */
  readonly signalSeconds: number;
  /** Further arguments of sbatch: `--gres=gpu:1`, `--mem=64G`. */
  readonly arguments: readonly string[];
}

/** How to launch jobs on a cluster. */
export interface SlurmJobLauncherOptions extends AttemptLauncherOptions {
  readonly runtime: PythonRuntime;
  readonly slurm: SlurmOptions;
  readonly environment?: NodeJS.ProcessEnv;
}

/** `slurm.json` in an attempt's folder: the job of Slurm that holds it. */
const SlurmRecord = z.strictObject({ id: z.string() });

const live = new Set([
  'PENDING',
  'CONFIGURING',
  'RUNNING',
  'COMPLETING',
  'REQUEUED',
  'REQUEUE_HOLD',
  'RESIZING',
  'SIGNALING',
  'STAGE_OUT',
  'SUSPENDED',
  'STOPPED',
]);
/** An answer of the controller holds for so long: many ask about the same job. */
const answerMs = 1000;
/** A keeper's last words may take a moment to be seen over a network file system. */
const lingerMs = 5000;

/**
 * Runs jobs on a Slurm cluster: the folder of jobs lies on a file system that the nodes share. Each attempt is a batch job whose only
 * process is the keeper. Before its time is over it is told to save, and twin goes on from there in a further batch job; one that Slurm
 * itself requeues goes on as a further attempt of the same batch job, with or without twin.
 */
export function slurmJobLauncher(options: SlurmJobLauncherOptions): JobLauncher {
  const { runtime, slurm } = options;
  const environment = { ...workerVariables(runtime.workersFolder, options.environment), ...slurmVariables(options.environment) };
  const answers = new Map<string, { readonly at: number; readonly state: Promise<string | null> }>();
  const gone = new Map<string, number>();

  const stateOf = (id: string): Promise<string | null> => {
    const known = answers.get(id);
    if (known !== undefined && performance.now() - known.at < answerMs) return known.state;
    const state = slurmState(id, environment);
    answers.set(id, { at: performance.now(), state });
    return state;
  };

  const status = async (folder: string): Promise<AttemptStatus> => {
    const here = await attemptStatus(folder);
    if (here.state === 'ended') return here;
    const record = await readRecord(folder);
    if (record === null) return here;
    // A later attempt of the same batch job has taken over.
    if ((await lastAttempt(dirname(dirname(folder)))) > Number(basename(folder))) return { state: 'lost' };
    if ((await stateOf(record.id)) !== null) {
      const pid = Number.parseInt(record.id, 10);
      return { state: 'running', keeper: { pid, start: 'slurm', bootId: '', nonce: '', worker: null } };
    }
    // Looked at again, since it may have ended in between.
    const after = await attemptStatus(folder);
    if (after.state === 'ended') return after;
    const since = gone.get(folder) ?? performance.now();
    gone.set(folder, since);
    if (performance.now() - since < lingerMs)
      return { state: 'running', keeper: { pid: 1, start: 'slurm', bootId: '', nonce: '', worker: null } };
    return { state: 'lost' };
  };

  const place: AttemptPlace = {
    identity: (job) => jobCodeDigest(runtime.workersFolder, job),
    prepare: async () => void (await runtime.ready()),
    status,
    async start(folder) {
      // Of several processes that find the attempt at once one submits it; the others wait for what it writes down.
      if (!(await claimedLock(folder))) return false;
      const name = `twin-${basename(dirname(dirname(folder))).slice(0, 12)}-${basename(folder)}`;
      const known = await findByName(name, folder, environment);
      const id =
        known ??
        (await submit(folder, name, (await runtime.ready()).python, slurm, runtime.workersFolder, environment).catch(
          async (error: unknown) => {
            await rm(join(folder, 'slurm.lock'), { force: true });
            throw error;
          },
        ));
      await writeFile(join(folder, 'slurm.json.new'), JSON.stringify({ id }));
      await rename(join(folder, 'slurm.json.new'), join(folder, 'slurm.json'));
      return known === null;
    },
    follow: (folder, follow) => followAttempt(folder, { ...follow, status }),
    command: appendCommand,
    fetch: async () => {},
  };
  return attemptLauncher(options, place);
}

/** Takes the lock on submitting an attempt; false where another process has submitted it meanwhile. */
async function claimedLock(folder: string): Promise<boolean> {
  const path = join(folder, 'slurm.lock');
  for (;;) {
    const mine = JSON.stringify(processIdentity(process.pid));
    if (
      await writeFile(path, mine, { flag: 'wx' }).then(
        () => true,
        () => false,
      )
    )
      return (await readRecord(folder)) === null;
    if ((await readRecord(folder)) !== null) return false;
    const holder = await readFile(path, 'utf8').then(
      (text) => ProcessIdentity.safeParse(parsed(text)).data,
      () => undefined,
    );
    // Half written, or held by a process that died over it.
    if (holder !== undefined && !isAlive(holder)) await rm(path, { force: true });
    await delay(50);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function submit(
  folder: string,
  name: string,
  python: string,
  { partition, account, timeLimit, signalSeconds, arguments: more }: SlurmOptions,
  workersFolder: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  // The batch script becomes the keeper itself, so that the signal before the time limit reaches it. After a requeue it takes a further attempt.
  const script = `#!/bin/sh\ncd ${shellWord(workersFolder)} || exit 1\nexec ${shellWord(python)} -m twin_workers keep \${SLURM_RESTART_COUNT:+--requeued} ${shellWord(folder)}\n`;
  await writeFile(join(folder, 'slurm.sh'), script);
  const wanted = [
    '--parsable',
    `--job-name=${name}`,
    `--comment=${folder}`,
    `--output=${join(folder, 'slurm.log')}`,
    '--open-mode=append',
    '--requeue',
    `--signal=B:TERM@${signalSeconds}`,
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(timeLimit === undefined ? [] : [`--time=${timeLimit}`]),
    ...more,
    join(folder, 'slurm.sh'),
  ];
  try {
    const { stdout } = await run('sbatch', wanted, { env: environment });
    return stdout.trim().split(';')[0]!;
  } catch (error) {
    throw slurmProblem('sbatch', wanted, error as Error & { readonly stderr?: string });
  }
}

/** A batch job of this attempt that an earlier process of twin submitted and could not write down. */
async function findByName(name: string, folder: string, environment: NodeJS.ProcessEnv): Promise<string | null> {
  const { stdout } = await run('squeue', ['--noheader', `--name=${name}`, '--format=%A %k'], { env: environment }).catch((error: Error) => {
    throw slurmProblem('squeue', [], error);
  });
  const line = stdout.split('\n').find((one) => one.trim().endsWith(` ${folder}`));
  return line === undefined ? null : line.trim().split(' ')[0]!;
}

/** The state of a batch job while it is one; null once it has ended. A controller that does not answer says nothing about a job: it counts as alive. */
async function slurmState(id: string, environment: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    const { stdout } = await run('squeue', ['--noheader', '--states=all', `--jobs=${id}`, '--format=%T'], { env: environment });
    const state = stdout.trim().split('\n')[0] ?? '';
    return live.has(state) ? state : null;
  } catch (error) {
    return /Invalid job id/i.test(String((error as { readonly stderr?: string }).stderr)) ? null : 'UNKNOWN';
  }
}

async function readRecord(folder: string): Promise<z.output<typeof SlurmRecord> | null> {
  const text = await readFile(join(folder, 'slurm.json'), 'utf8').catch(() => null);
  return text === null ? null : SlurmRecord.parse(JSON.parse(text));
}

function slurmVariables(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return environment['SLURM_CONF'] === undefined ? {} : { SLURM_CONF: environment['SLURM_CONF'] };
}

function slurmProblem(command: string, wanted: readonly string[], error: Error & { readonly stderr?: string }): ProblemError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return new ProblemError({
    reason: 'slurm-refused',
    message: missing ? `There is no ${command} on this machine.` : `Slurm refused a job: ${command} failed.`,
    found: (error.stderr?.trim() ?? '') || error.message,
    ...(wanted.length > 0 && { expected: `${command} ${wanted.slice(6, -1).join(' ')}` }),
    hint: missing ? 'Run twin on a login node of the cluster.' : 'Look at jobLauncher in the configuration: twin config show jobLauncher',
    exit: 1,
  });
}
