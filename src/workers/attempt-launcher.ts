import { existsSync } from 'node:fs';
import { appendFile, readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promptTemplate, promptTemplateDigest } from '../contracts/prompt-template.ts';
import { ProblemError } from '../contracts/problem.ts';
import { JobCommand, type JobEvent, protocolVersion } from '../contracts/worker-protocol.ts';
import type { Deadlines } from '../contracts/deadlines.ts';
import type { JobRequest } from '../contracts/worker-protocol.ts';
import { type AttemptStatus, attemptFolder, attemptRequest, lastAttempt, lastLines } from './attempt-folder.ts';
import { createAttempt } from './create-attempt.ts';
import type { FollowOptions } from './follow-attempt.ts';
import { isAlive } from './process-identity.ts';
import { type NextAttempt, nextAttempt } from './smaller-attempt.ts';

/** What every launcher knows of its jobs. */
export interface AttemptLauncherOptions {
  /** Folder that holds one folder a job. */
  readonly jobsFolder: string;
  /** Seconds that a job goes on without any twin that follows it; null for ever. */
  readonly leaseSeconds: number | null;
  /** When a worker counts as hung; the keeper's own where left out. */
  readonly deadlines?: Deadlines;
  /** GPUs that a job is given where the machine has any; 1 where left out. */
  readonly gpus?: number;
}

/** Where attempts run: this machine, another one, a cluster. Folders are those on this machine. */
export interface AttemptPlace {
  /** Names the Python environment and the job's code. */
  identity(job: string): Promise<string>;
  /** Called before an attempt is written down: what takes long and may fail. */
  prepare(): Promise<void>;
  status(folder: string): Promise<AttemptStatus>;
  /** Sees to it that an attempt which nobody keeps yet gets a keeper; true where it was this call that did it. */
  start(folder: string, status: Extract<AttemptStatus, { state: 'unclaimed' }>): Promise<boolean>;
  follow(folder: string, options: FollowOptions): AsyncIterable<JobEvent>;
  /** Hands a line of commands to the worker. */
  command(folder: string, line: string): Promise<void>;
  /** Called once an attempt has ended, before its outputs are read. */
  fetch(folder: string): Promise<void>;
}

type Submission = Parameters<AttemptLauncher['submit']>[0];
type State = Awaited<ReturnType<AttemptLauncher['state']>>;

/** The methods of a job launcher; the port's own type is not known here. */
export interface AttemptLauncher {
  identity(job: string): Promise<string>;
  submit(submission: {
    readonly id: string;
    readonly job: string;
    readonly params: JobRequest['params'];
    readonly inputs: Readonly<Record<string, string>>;
    readonly outputs: readonly string[];
  }): Promise<{ readonly id: string; readonly attempt: number; readonly how: 'started' | 'adopted' | 'resumed' }>;
  follow(
    job: { readonly id: string; readonly attempt: number },
    options: { readonly afterSeq: number; readonly signal: AbortSignal },
  ): AsyncIterable<JobEvent>;
  state(id: string): Promise<
    | { readonly state: 'running'; readonly attempt: number; readonly pid: number }
    | {
        readonly state: 'ended';
        readonly attempt: number;
        readonly exit: Extract<AttemptStatus, { state: 'ended' }>['exit'];
        readonly outputs: Readonly<Record<string, string>>;
        readonly lastLines: readonly string[];
      }
    | { readonly state: 'lost'; readonly attempt: number }
    | null
  >;
  command(id: string, command: JobCommand['command']): Promise<void>;
  running(): Promise<readonly string[]>;
}

/** Create-or-return over attempts that lie in folders, wherever they run. */
export function attemptLauncher(options: AttemptLauncherOptions, place: AttemptPlace): AttemptLauncher {
  const { jobsFolder, leaseSeconds } = options;
  const folderOf = (id: string) => {
    if (!/^[\w-][\w.-]*$/.test(id)) throw new TypeError(`${JSON.stringify(id)} cannot name a job: it would not be a file name`);
    return resolve(jobsFolder, id);
  };
  const latest = async (id: string): Promise<{ attempt: number; folder: string; status: AttemptStatus } | null> => {
    const attempt = await lastAttempt(folderOf(id));
    const folder = attemptFolder(folderOf(id), attempt);
    return attempt === 0 ? null : { attempt, folder, status: await place.status(folder) };
  };

  return {
    identity: (job) => place.identity(job),

    async submit(submission) {
      const { id } = submission;
      for (;;) {
        const found = await latest(id);
        if (
          found?.status.state === 'running' ||
          (found?.status.state === 'ended' && (await endedWell(found.folder, found.status, place)))
        ) {
          return { id, attempt: found.attempt, how: 'adopted' };
        }
        if (found?.status.state === 'unclaimed') {
          const mine = await place.start(found.folder, found.status);
          return { id, attempt: found.attempt, how: mine ? (found.attempt === 1 ? 'started' : 'resumed') : 'adopted' };
        }
        await place.prepare();
        const next = found === null ? submission : await nextAttempt(submission.params, found.folder, found.status);
        const request = requestOf({ ...submission, ...next }, folderOf(id), (found?.attempt ?? 0) + 1, options);
        // Whoever creates it, this process or another one, it is there when we look again.
        await createAttempt(folderOf(id), request);
      }
    },

    follow(job, { afterSeq, signal }) {
      const renewalMs = leaseSeconds === null ? null : Math.min(30_000, (leaseSeconds * 1000) / 4);
      return place.follow(attemptFolder(folderOf(job.id), job.attempt), { afterSeq, signal, renewalMs });
    },

    async state(id) {
      const found = await latest(id);
      return found === null ? null : await jobState(found.attempt, found.folder, found.status, place);
    },

    async command(id, command) {
      const found = await latest(id);
      if (found === null || (await jobState(found.attempt, found.folder, found.status, place))?.state !== 'running') {
        throw new ProblemError({ reason: 'job-not-running', message: `Job ${id} is not running.`, hint: 'See `twin jobs list`.', exit: 1 });
      }
      const earlier = await readFile(join(found.folder, 'commands.jsonl'), 'utf8').catch(() => '');
      await place.command(found.folder, `${JSON.stringify(JobCommand.parse({ seq: earlier.split('\n').length, command }))}\n`);
    },

    async running() {
      const ids = await readdir(jobsFolder).catch(() => []);
      const states = await Promise.all(ids.map(async (id) => ({ id, state: await this.state(id) })));
      return states.filter(({ state }) => state?.state === 'running').map(({ id }) => id);
    },
  };
}

/** Appends a command where the worker reads it, for attempts in folders that both see. */
export async function appendCommand(folder: string, line: string): Promise<void> {
  await appendFile(join(folder, 'commands.jsonl'), line);
}

/** Code 0 and its outputs still there: what was taken away uncommitted is made again, from the last checkpoint. */
async function endedWell(folder: string, { exit }: Extract<AttemptStatus, { state: 'ended' }>, place: AttemptPlace): Promise<boolean> {
  if (exit.code !== 0) return false;
  await place.fetch(folder);
  return Object.values((await attemptRequest(folder)).outputs).every((path) => existsSync(path));
}

function requestOf(
  submission: Submission & Partial<NextAttempt>,
  jobFolder: string,
  attempt: number,
  { leaseSeconds, deadlines, gpus = 1 }: AttemptLauncherOptions,
): JobRequest {
  const outputs = join(attemptFolder(jobFolder, attempt), 'outputs');
  return {
    v: protocolVersion,
    id: submission.id,
    attempt,
    job: submission.job,
    params: submission.params,
    inputs: Object.fromEntries(Object.entries(submission.inputs).map(([name, path]) => [name, resolve(path)])),
    outputs: Object.fromEntries(submission.outputs.map((name) => [name, join(outputs, name)])),
    checkpoints: join(jobFolder, 'checkpoints'),
    promptTemplate: { text: promptTemplate, digest: promptTemplateDigest },
    leaseSeconds,
    deadlines: deadlines ?? null,
    adaptations: [...(submission.adaptations ?? [])],
    gpus,
  };
}

async function jobState(attempt: number, folder: string, status: AttemptStatus, place: AttemptPlace): Promise<State> {
  switch (status.state) {
    case 'running':
      return { state: 'running', attempt, pid: status.keeper.pid };
    case 'unclaimed':
      return isAlive(status.launcher) ? { state: 'running', attempt, pid: status.launcher.pid } : { state: 'lost', attempt };
    case 'lost':
      return { state: 'lost', attempt };
    case 'ended':
      await place.fetch(folder);
      return {
        state: 'ended',
        attempt,
        exit: status.exit,
        outputs: (await attemptRequest(folder)).outputs,
        lastLines: await lastLines(folder),
      };
  }
}
