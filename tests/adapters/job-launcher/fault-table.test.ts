import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localJobLauncher } from '../../../src/adapters/job-launcher/local.ts';
import { Deadlines } from '../../../src/contracts/deadlines.ts';
import { JobRequest, exitCodes } from '../../../src/contracts/worker-protocol.ts';
import { jobFailure } from '../../../src/engine/job-failure.ts';
import { echo, eventsOf } from '../../support/echo-job.ts';
import { runtimeOf } from '../../support/python-runtime.ts';
import { plainPython } from '../../support/plain-python.ts';
import { skipWithout } from '../../support/python.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const python = plainPython();
const deadlines = Deadlines.parse({ heartbeatSeconds: 5, stepMinimumSeconds: 0.4, graceSeconds: 0.3 });
const launcherIn = (folder: string) =>
  localJobLauncher({
    jobsFolder: join(folder, 'jobs'),
    runtime: runtimeOf(python!),
    leaseSeconds: null,
    deadlines,
    secrets: { THE_TOKEN: 'hunter2hunter2' },
  });

if (python === null) skipWithout('Python 3.10 or newer');

/** What happens at step 6 of 10, the verdict, whether trying again may help, and what the person reads. */
const table = [
  ['hang', 33, true, /ended with hang \(exit 33\): hang: no progress for \d+ s in phase train .* though the process is alive$/],
  ['hang-with-gil', 33, true, /ended with hang \(exit 33\): hang: no (heartbeat|progress) for \d+ s in phase train/],
  ['out-of-memory', 30, true, /ended with out-of-memory \(exit 30\): Memory ran out/],
  ['device-fault', 40, true, /ended with device-fault \(exit 40\): The device failed: CUDA error: uncorrectable ECC error/],
  ['divergence', 31, false, /ended with divergence \(exit 31\): loss became nan$/],
  ['kill', null, true, /was killed by SIGKILL$/],
  ['segmentation-fault', null, true, /was killed by SIGSEGV$/],
] as const;

describe.skipIf(python === null)('every fault of a worker has its verdict', () => {
  test.for(table)('%s', async ([fault, code, mayPass, message]) => {
    const folder = await temporaryFolder();
    const launcher = launcherIn(folder);
    const submission = await echo(folder, 'job-a', { steps: 10, secondsPerStep: 0.01, fault, faultStep: 6 });
    const events = await eventsOf(launcher, await launcher.submit(submission));
    const state = await launcher.state('job-a');
    expect(state).toMatchObject({ state: 'ended', exit: { code } });
    const said = events.findLast((event) => event.type === 'error') ?? null;
    const failure = jobFailure('train-sft', 'echo', 'job-a', state, said);
    expect(failure.problem.message).toMatch(message);
    expect(failure.failure !== 'user').toBe(mayPass);
    expect(failure.problem.reason).toBe(code === null ? 'lost' : exitCodes[code].reason);
  });

  test('the attempt after one that ran out of memory is a smaller one, and stays so', async () => {
    const folder = await temporaryFolder();
    const launcher = launcherIn(folder);
    const submission = await echo(folder, 'job-a', { steps: 10, fault: 'out-of-memory', faultStep: 6 });
    const larger = { ...submission, params: { ...submission.params, batchSize: 4, maxNewTokens: 1 } };
    // The echo job knows no batch and refuses it: the requests are what counts.
    await eventsOf(launcher, await launcher.submit(submission));
    expect((await launcher.submit(larger)).how).toBe('resumed');
    const request = async (number: number) =>
      JobRequest.parse(JSON.parse(await readFile(join(folder, 'jobs', 'job-a', 'attempts', String(number), 'request.json'), 'utf8')));
    expect(await request(2)).toMatchObject({ params: { batchSize: 2 }, adaptations: ['out of memory: batchSize 4 to 2'] });
    await eventsOf(launcher, { id: 'job-a', attempt: 2, how: 'resumed' });
    const third = await launcher.submit(larger);
    expect(await request(3)).toMatchObject({ params: { batchSize: 2 }, adaptations: ['out of memory: batchSize 4 to 2'] });
    await eventsOf(launcher, third);
  });

  test('a failure that the keeper found carries the stacks of all threads in its last lines', async () => {
    const folder = await temporaryFolder();
    const launcher = launcherIn(folder);
    const submission = await echo(folder, 'job-a', { steps: 10, secondsPerStep: 0.01, fault: 'hang', faultStep: 6 });
    await eventsOf(launcher, await launcher.submit(submission));
    const state = await launcher.state('job-a');
    expect(state?.state === 'ended' && state.lastLines.join('\n')).toMatch(/in commit_fault/);
  });

  test('a secret that a job prints and tells is in none of its files', async () => {
    const folder = await temporaryFolder();
    const launcher = launcherIn(folder);
    const submission = await echo(folder, 'job-a', { steps: 10, fault: 'print-secret', faultStep: 6 });
    const events = await eventsOf(launcher, await launcher.submit(submission));
    expect(events.find((event) => event.type === 'warn')).toMatchObject({ data: { message: 'THE_TOKEN is ***' } });
    const attempt = join(folder, 'jobs', 'job-a', 'attempts', '1');
    const files = (await readdir(attempt, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    for (const file of files) expect(await readFile(join(file.parentPath, file.name), 'latin1')).not.toContain('hunter2');
    expect(await readFile(join(attempt, 'output.log'), 'utf8')).toContain('THE_TOKEN is ***');
  });
});
