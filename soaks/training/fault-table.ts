import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { localJobLauncher } from '../../src/adapters/job-launcher/local.ts';
import { Deadlines } from '../../src/contracts/deadlines.ts';
import { EchoParams } from '../../src/contracts/jobs.ts';
import type { FailureClass } from '../../src/contracts/run.ts';
import type { JobEvent } from '../../src/contracts/worker-protocol.ts';
import { jobFailure } from '../../src/engine/job-failure.ts';
import type { JobLauncher, JobSubmission } from '../../src/ports/job-launcher.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';

/** What became of one fault. */
export interface Verdict {
  readonly fault: string;
  /** The reason of the failure; `done` where the job went on to its end. */
  readonly verdict: string;
  /** What a retry goes by; null where nothing failed. */
  readonly class: FailureClass | null;
  /** What twin makes of it. */
  readonly action: string;
  /** From the last sign of the job before the fault to its verdict; null where the job went on. */
  readonly seconds: number | null;
  /** What the person reads. */
  readonly message: string;
}

interface Case {
  readonly fault: string;
  readonly submission: JobSubmission;
  readonly verdict: string;
  /** What keeps it from being a failure, where the verdict is `done`. */
  readonly handled?: string;
  /** Done to the job before it is submitted again. */
  readonly between?: () => void;
}

/** What each class of failure makes the engine do. */
const actions: Readonly<Record<FailureClass, string>> = {
  user: 'ends at once, and says what to change',
  infrastructure: 'a further attempt, from the last good checkpoint',
  preempted: 'a further attempt, from the last good checkpoint, on a budget of its own',
  'out-of-memory': 'a further attempt with a smaller batch that accumulates more',
  'timed-out': 'a further attempt, from the last good checkpoint',
};

/** Commits every fault that ends in a verdict, on real jobs, one after the other; `sft` and `dpo` make sound submissions. */
export async function faultTable(
  runtime: PythonRuntime,
  folder: string,
  sft: (id: string) => JobSubmission,
  dpo: (id: string) => JobSubmission,
): Promise<{ readonly verdicts: readonly Verdict[]; readonly violations: readonly string[] }> {
  const deadlines = Deadlines.parse({ heartbeatSeconds: 5, stepMinimumSeconds: 0.5, graceSeconds: 0.5 });
  const tight = localJobLauncher({ jobsFolder: join(folder, 'faulty-jobs'), runtime, leaseSeconds: null, deadlines });
  const patient = localJobLauncher({ jobsFolder: join(folder, 'faulty-jobs'), runtime, leaseSeconds: null, start: 'warm' });
  const verdicts: Verdict[] = [];
  const violations: string[] = [];
  const small = smallDisk(join(folder, 'faulty-jobs', 'full-disk', 'checkpoints'));
  const onSmall: Case = { fault: 'a disk that is full at a checkpoint', submission: sft('full-disk'), verdict: 'transient' };
  const cases = [...(await echoCases(folder)), ...(await trainingCases(folder, sft, dpo)), ...(small === null ? [] : [onSmall])];
  try {
    for (const each of cases) {
      // A gigabyte takes longer than the deadlines that make a hang quick to tell.
      const launcher = each.submission.job === 'echo' && each.submission.id !== 'echo-print' ? tight : patient;
      const found = await verdictOf(launcher, each);
      verdicts.push(found);
      if (found.verdict !== each.verdict)
        violations.push(`${each.fault}: expected ${each.verdict}, found ${found.verdict} (${found.message})`);
    }
  } finally {
    small?.();
  }
  return { verdicts, violations };
}

async function verdictOf(launcher: JobLauncher, { fault, submission, handled, between }: Case): Promise<Verdict> {
  let [sign, said]: [number, (JobEvent & { readonly type: 'error' }) | null] = [performance.now(), null];
  const live = async (): Promise<void> => {
    const job = await launcher.submit(submission);
    let isStopping = false;
    for await (const event of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(120_000) })) {
      if (event.type === 'hello' || event.type === 'progress') sign = performance.now();
      if (event.type === 'error') said = event;
      if (between === undefined || job.attempt > 1 || isStopping || event.type !== 'checkpoint') continue;
      isStopping = true;
      await launcher.command(submission.id, 'stop');
    }
  };
  await live();
  if (between !== undefined) {
    between();
    await live();
  }
  const seconds = (performance.now() - sign) / 1000;
  const state = await launcher.state(submission.id);
  if (state?.state === 'ended' && state.exit.code === 0)
    return { fault, verdict: 'done', class: null, action: handled ?? '', seconds: null, message: '' };
  const { failure, problem } = jobFailure(submission.id, submission.job, submission.id, state, said);
  return { fault, verdict: problem.reason, class: failure, action: actions[failure], seconds, message: problem.message };
}

async function echoCases(folder: string): Promise<readonly Case[]> {
  const rows = join(folder, 'echo.jsonl');
  await writeFile(rows, '{"text":"one"}\n');
  const at = (fault: string, expected: string, name: string, more: object = {}, handled?: string): Case => {
    const params = EchoParams.parse({ steps: 10, secondsPerStep: 0.01, fault, faultStep: 6, ...more });
    return {
      fault: name,
      verdict: expected,
      ...(handled && { handled }),
      submission: { id: `echo-${fault}`, job: 'echo', params, inputs: { rows }, outputs: ['rows'] },
    };
  };
  return [
    at('hang', 'hang', 'hang that lets other threads run'),
    at('hang-with-gil', 'hang', 'hang that holds the interpreter lock'),
    at('out-of-memory', 'out-of-memory', 'memory of the host runs out'),
    at('device-fault', 'device-fault', 'error of a device (raised, no device is here)'),
    at('divergence', 'divergence', 'divergence that the job reports'),
    at('kill', 'lost', 'SIGKILL of the worker'),
    at('segmentation-fault', 'lost', 'segmentation fault'),
    at('leave-processes', 'done', 'children left behind in sessions of their own', {}, 'they end with the job'),
    at('print', 'done', '1 GB of output', { faultBytes: 2 ** 30 }, 'the job is not held up, and of its log the end is kept'),
  ];
}

async function trainingCases(
  folder: string,
  sft: (id: string) => JobSubmission,
  dpo: (id: string) => JobSubmission,
): Promise<readonly Case[]> {
  const withTrain = async (id: string, change: (row: Record<string, unknown>) => object | null): Promise<JobSubmission> => {
    const submission = sft(id);
    const lines = (await readFile(submission.inputs['train']!, 'utf8')).trim().split('\n');
    const rows = lines.flatMap((line) => change(JSON.parse(line) as Record<string, unknown>) ?? []);
    const train = join(folder, `${id}.jsonl`);
    await writeFile(train, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    return { ...submission, inputs: { ...submission.inputs, train } };
  };
  const corrupted = dpo('corrupted-adapter');
  const adapter = join(folder, 'corrupted-adapter');
  cpSync(corrupted.inputs['adapter']!, adapter, { recursive: true, mode: 0 });
  const weights = join(adapter, 'adapter_model.safetensors');
  writeFileSync(weights, 'not the weights', { mode: 0o644 });
  const nan = sft('nan-loss');
  const other = sft('other-packages');
  return [
    {
      fault: 'a column that is missing',
      verdict: 'data',
      submission: await withTrain('bad-column', (row) => ({ ...row, answer: undefined })),
    },
    { fault: 'no rows', verdict: 'data', submission: await withTrain('no-rows', () => null) },
    { fault: 'a loss that is not a number', verdict: 'divergence', submission: { ...nan, params: { ...nan.params, learningRate: 1e38 } } },
    {
      fault: 'an adapter that is damaged',
      verdict: 'model',
      submission: { ...corrupted, inputs: { ...corrupted.inputs, adapter } },
    },
    {
      fault: 'a checkpoint of other packages',
      verdict: 'configuration',
      submission: other,
      between: () =>
        rewriteManifests(join(folder, 'faulty-jobs', other.id, 'checkpoints'), (text) =>
          text.replace(/(?<part>"packages": ")[0-9a-f]{8}/, '$<part>00000000'),
        ),
    },
    {
      fault: 'a checkpoint cut short',
      verdict: 'done',
      handled: 'it is deleted and named, and the one before it taken',
      submission: sft('cut-checkpoint'),
      between: () => cutNewest(join(folder, 'faulty-jobs', 'cut-checkpoint', 'checkpoints')),
    },
  ];
}

function rewriteManifests(checkpoints: string, change: (text: string) => string): void {
  for (const name of readdirSync(checkpoints).filter((entry) => entry.startsWith('checkpoint-'))) {
    const manifest = join(checkpoints, name, 'twin-manifest.json');
    writeFileSync(manifest, change(readFileSync(manifest, 'utf8')));
  }
}

function cutNewest(checkpoints: string): void {
  for (const name of readdirSync(checkpoints).filter((entry) => entry.startsWith('checkpoint-'))) {
    const optimizer = join(checkpoints, name, 'optimizer.pt');
    truncateSync(optimizer, statSync(optimizer).size >> 1);
  }
}

/** A disk that holds less than a checkpoint, and how to take it away again; null for who may not mount one. */
function smallDisk(folder: string): (() => void) | null {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    return null;
  }
  return () => void execFileSync('umount', [folder]);
}
