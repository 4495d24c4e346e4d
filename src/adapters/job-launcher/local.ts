import { existsSync } from 'node:fs';
import { appendFile, readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promptTemplate, promptTemplateDigest } from '../../contracts/prompt-template.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { JobCommand, protocolVersion } from '../../contracts/worker-protocol.ts';
import type { Deadlines, JobRequest } from '../../contracts/worker-protocol.ts';
import type { JobLauncher, JobState, JobSubmission, SubmittedJob } from '../../ports/job-launcher.ts';
import { attemptFolder, attemptRequest, attemptStatus, lastAttempt, lastLines } from '../../workers/attempt-folder.ts';
import type { AttemptStatus } from '../../workers/attempt-folder.ts';
import { createAttempt } from '../../workers/create-attempt.ts';
import { followAttempt } from '../../workers/follow-attempt.ts';
import { jobCodeDigest, jobCodeParts } from '../../workers/job-code.ts';
import { isAlive } from '../../workers/process-identity.ts';
import type { PythonRuntime } from '../../workers/python-runtime.ts';
import { type NextAttempt, nextAttempt } from '../../workers/smaller-attempt.ts';
import { claimed, startKeeper } from '../../workers/start-keeper.ts';

/** How to launch jobs on this machine. */
export interface LocalJobLauncherOptions {
  /** Folder that holds one folder a job. */
  readonly jobsFolder: string;
  readonly runtime: PythonRuntime;
  /** Seconds that a job goes on without any twin that follows it; null for ever. */
  readonly leaseSeconds: number | null;
  /** When a worker counts as hung; the keeper's own where left out. */
  readonly deadlines?: Deadlines;
  /** Variables that jobs get and that are masked in all that they write. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** Another process of twin that created an attempt is given this long to start its keeper. */
const otherLauncherMs = 30_000;

/** Runs jobs on this machine, each under a keeper that outlives twin; opens and starts nothing by itself. */
export function localJobLauncher(options: LocalJobLauncherOptions): JobLauncher {
  const { jobsFolder, runtime, leaseSeconds } = options;
  const folderOf = (id: string) => {
    if (!/^[\w-][\w.-]*$/.test(id)) throw new TypeError(`${JSON.stringify(id)} cannot name a job: it would not be a file name`);
    return resolve(jobsFolder, id);
  };
  const latest = async (id: string): Promise<{ attempt: number; folder: string; status: AttemptStatus } | null> => {
    const attempt = await lastAttempt(folderOf(id));
    const folder = attemptFolder(folderOf(id), attempt);
    return attempt === 0 ? null : { attempt, folder, status: await attemptStatus(folder) };
  };

  return {
    identity: (job) => jobCodeDigest(runtime.workersFolder, job),
    codeParts: (job) => jobCodeParts(runtime.workersFolder, job),

    async submit(submission) {
      const { id } = submission;
      for (;;) {
        const found = await latest(id);
        if (found?.status.state === 'running' || (found?.status.state === 'ended' && (await endedWell(found.folder, found.status)))) {
          return { id, attempt: found.attempt, how: 'adopted' };
        }
        if (found?.status.state === 'unclaimed') return { id, attempt: found.attempt, how: await claim(found, found.status, options) };
        await runtime.ready();
        const next = found === null ? submission : await nextAttempt(submission.params, found.folder, found.status);
        const request = requestOf({ ...submission, ...next }, folderOf(id), (found?.attempt ?? 0) + 1, options);
        // Whoever creates it, this process or another one, it is there when we look again.
        await createAttempt(folderOf(id), request);
      }
    },

    follow(job: SubmittedJob, { afterSeq, signal }) {
      const renewalMs = leaseSeconds === null ? null : Math.min(30_000, (leaseSeconds * 1000) / 4);
      return followAttempt(attemptFolder(folderOf(job.id), job.attempt), { afterSeq, signal, renewalMs });
    },

    async state(id) {
      const found = await latest(id);
      return found === null ? null : await jobState(found.attempt, found.folder, found.status);
    },

    async command(id, command) {
      const found = await latest(id);
      if (found === null || (await jobState(found.attempt, found.folder, found.status)).state !== 'running') {
        throw new ProblemError({ reason: 'job-not-running', message: `Job ${id} is not running.`, hint: 'See `twin jobs list`.', exit: 1 });
      }
      const path = join(found.folder, 'commands.jsonl');
      const earlier = await readFile(path, 'utf8').catch(() => '');
      await appendFile(path, `${JSON.stringify(JobCommand.parse({ seq: earlier.split('\n').length, command }))}\n`);
    },

    async running() {
      const ids = await readdir(jobsFolder).catch(() => []);
      const states = await Promise.all(ids.map(async (id) => ({ id, state: await this.state(id) })));
      return states.filter(({ state }) => state?.state === 'running').map(({ id }) => id);
    },
  };
}

/** Sees to it that an attempt which nobody keeps yet gets a keeper, by the process that created it or by this one. */
async function claim(
  { attempt, folder }: { attempt: number; folder: string },
  { launcher }: Extract<AttemptStatus, { state: 'unclaimed' }>,
  { runtime, secrets }: LocalJobLauncherOptions,
): Promise<SubmittedJob['how']> {
  if (launcher.pid !== process.pid && isAlive(launcher) && (await claimed(folder, otherLauncherMs, () => !isAlive(launcher))))
    return 'adopted';
  await startKeeper(runtime, folder, secrets);
  return attempt === 1 ? 'started' : 'resumed';
}

/** Code 0 and its outputs still there: what was taken away uncommitted is made again, from the last checkpoint. */
async function endedWell(folder: string, { exit }: Extract<AttemptStatus, { state: 'ended' }>): Promise<boolean> {
  return exit.code === 0 && Object.values((await attemptRequest(folder)).outputs).every((path) => existsSync(path));
}

function requestOf(
  submission: JobSubmission & Partial<NextAttempt>,
  jobFolder: string,
  attempt: number,
  { leaseSeconds, deadlines }: LocalJobLauncherOptions,
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
  };
}

async function jobState(attempt: number, folder: string, status: AttemptStatus): Promise<JobState> {
  switch (status.state) {
    case 'running':
      return { state: 'running', attempt, pid: status.keeper.pid };
    case 'unclaimed':
      return isAlive(status.launcher) ? { state: 'running', attempt, pid: status.launcher.pid } : { state: 'lost', attempt };
    case 'lost':
      return { state: 'lost', attempt };
    case 'ended':
      return {
        state: 'ended',
        attempt,
        exit: status.exit,
        outputs: (await attemptRequest(folder)).outputs,
        lastLines: await lastLines(folder),
      };
  }
}
