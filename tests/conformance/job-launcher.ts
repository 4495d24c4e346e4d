import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProblemError } from '../../src/contracts/problem.ts';
import type { JobEvent } from '../../src/contracts/worker-protocol.ts';
import type { JobLauncher } from '../../src/ports/job-launcher.ts';
import { echo, endless, eventsOf } from '../support/echo-job.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const working = (event: JobEvent) => event.type === 'progress';
const doneIn = (events: readonly JobEvent[]) => events.flatMap((event) => (event.type === 'progress' ? [event.data.done] : []));

/** What every job launcher must do. The factory opens a launcher on the jobs that lie in a folder. */
export function jobLauncherConformance(name: string, open: (folder: string) => Promise<JobLauncher>): void {
  describe(`${name} keeps the contract of a job launcher`, { timeout: 120_000 }, () => {
    test('a job that was never submitted is unknown', async () => {
      const launcher = await open(await temporaryFolder());
      expect(await launcher.state('nothing')).toBeNull();
      expect(await launcher.running()).toEqual([]);
      const { problem } = (await launcher.command('nothing', 'cancel').catch((error: unknown) => error)) as ProblemError;
      expect(problem).toEqual({
        reason: 'job-not-running',
        message: 'Job nothing is not running.',
        hint: 'See `twin jobs list`.',
        exit: 1,
      });
    });

    test('a job runs, tells what it does, and leaves its outputs', async () => {
      const folder = await temporaryFolder();
      const launcher = await open(folder);
      const job = await launcher.submit(await echo(folder, 'job-a'));
      expect(job).toEqual({ id: 'job-a', attempt: 1, how: 'started' });
      const events = await eventsOf(launcher, job);
      expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
      expect(events[0]).toMatchObject({ type: 'hello', job: 'job-a', attempt: 1 });
      expect(events.at(-1)).toMatchObject({ type: 'result', data: { outputs: ['rows'] } });
      expect(doneIn(events)).toEqual([1, 2, 3]);
      const state = await launcher.state('job-a');
      if (state?.state !== 'ended') throw new Error(`expected ended, found ${state?.state}`);
      expect(state).toMatchObject({ attempt: 1, exit: { code: 0, signal: null } });
      expect(await readFile(state.outputs['rows']!, 'utf8')).toBe('{"text":"Grüße"}\n{"text":"😀"}\n');
    });

    test('a job submitted several times at once runs once', async () => {
      const folder = await temporaryFolder();
      const submission = await echo(folder, 'job-a');
      const launchers = await Promise.all([open(folder), open(folder), open(folder)]);
      const jobs = await Promise.all(launchers.map((launcher) => launcher.submit(submission)));
      expect(jobs.map((job) => job.attempt)).toEqual([1, 1, 1]);
      const [first, ...others] = await Promise.all(launchers.map((launcher, index) => eventsOf(launcher, jobs[index]!)));
      expect(others).toEqual([first, first]);
      expect(first!.filter((event) => event.type === 'hello')).toHaveLength(1);
    });

    test('a job that ended well is returned as it is', async () => {
      const folder = await temporaryFolder();
      const launcher = await open(folder);
      const submission = await echo(folder, 'job-a');
      const events = await eventsOf(launcher, await launcher.submit(submission));
      const again = await launcher.submit(submission);
      expect(again).toEqual({ id: 'job-a', attempt: 1, how: 'adopted' });
      expect(await eventsOf(launcher, again)).toEqual(events);
    });

    test('a running job is adopted, and followed from the event after the last one seen', async () => {
      const folder = await temporaryFolder();
      const submission = await echo(folder, 'job-a', endless);
      const first = await open(folder);
      const seen = await eventsOf(first, await first.submit(submission), working);
      const second = await open(folder);
      expect(await second.running()).toEqual(['job-a']);
      const adopted = await second.submit(submission);
      expect(adopted).toEqual({ id: 'job-a', attempt: 1, how: 'adopted' });
      const later = await eventsOf(second, adopted, working, seen.at(-1)!.seq);
      expect(later[0]!.seq).toBe(seen.at(-1)!.seq + 1);
      await second.command('job-a', 'cancel');
      await eventsOf(second, adopted);
      expect(await second.state('job-a')).toMatchObject({ state: 'ended', exit: { code: 21 } });
      expect(await second.running()).toEqual([]);
    });

    test('a job that was stopped saves, and a further attempt goes on from there', async () => {
      const folder = await temporaryFolder();
      const launcher = await open(folder);
      const submission = await echo(folder, 'job-a', endless);
      const job = await launcher.submit(submission);
      await eventsOf(launcher, job, (event) => event.type === 'progress' && event.data.done === 3);
      await launcher.command('job-a', 'stop');
      const stopped = await eventsOf(launcher, job);
      expect(await launcher.state('job-a')).toMatchObject({ state: 'ended', attempt: 1, exit: { code: 20 } });
      const resumed = await launcher.submit(submission);
      expect(resumed).toEqual({ id: 'job-a', attempt: 2, how: 'resumed' });
      const events = await eventsOf(launcher, resumed, working);
      expect(doneIn(events)).toEqual([doneIn(stopped).at(-1)! + 1]);
      await launcher.command('job-a', 'cancel');
      await eventsOf(launcher, resumed);
    });

    test('a job that failed says how, with its last lines, and gets a further attempt', async () => {
      const folder = await temporaryFolder();
      const launcher = await open(folder);
      const submission = await echo(folder, 'job-a');
      const broken = { ...submission, inputs: { rows: join(folder, 'missing.jsonl') } };
      const events = await eventsOf(launcher, await launcher.submit(broken));
      expect(events.at(-1)).toMatchObject({ type: 'error', data: { reason: 'data' } });
      const state = await launcher.state('job-a');
      expect(state).toMatchObject({ state: 'ended', exit: { code: 11, signal: null } });
      expect(state?.state === 'ended' && state.lastLines.join('\n')).toContain('The input `rows` is not there');
      const resumed = await launcher.submit(submission);
      expect(resumed).toEqual({ id: 'job-a', attempt: 2, how: 'resumed' });
      expect((await eventsOf(launcher, resumed)).at(-1)?.type).toBe('result');
    });

    test('following ends when it is told to, and the job goes on', async () => {
      const folder = await temporaryFolder();
      const launcher = await open(folder);
      const job = await launcher.submit(await echo(folder, 'job-a', endless));
      const controller = new AbortController();
      for await (const event of launcher.follow(job, { afterSeq: 0, signal: controller.signal })) if (working(event)) controller.abort();
      expect(await launcher.running()).toEqual(['job-a']);
      await launcher.command('job-a', 'cancel');
      await eventsOf(launcher, job);
    });

    test('a name that is no file name is refused', async () => {
      const launcher = await open(await temporaryFolder());
      await expect(launcher.state('../escape')).rejects.toThrow('"../escape" cannot name a job: it would not be a file name');
    });

    test('each job has an identity of its own that stays', async () => {
      const launcher = await open(await temporaryFolder());
      const identities = await Promise.all(['echo', 'train-sft', 'echo'].map((job) => launcher.identity(job)));
      expect(identities[0]).toBe(identities[2]);
      expect(identities[0]).not.toBe(identities[1]);
    });
  });
}
