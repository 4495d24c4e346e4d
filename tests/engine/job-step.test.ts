import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { folder, json, rows } from '../../src/contracts/artifact.ts';
import type { JobEvent } from '../../src/contracts/worker-protocol.ts';
import { type PipelineBuilder, defineJobStep, defineStep } from '../../src/engine/define.ts';
import { leaveJobs } from '../../src/engine/run-options.ts';
import type { JobLauncher, JobState, JobSubmission } from '../../src/ports/job-launcher.ts';
import { engineRig } from '../support/engine-rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const none = z.strictObject({});
const documents = rows('documents', z.strictObject({ text: z.string() }));
const start = folder('start-model');
const read = defineStep({
  name: 'read',
  version: 1,
  summary: 'Read',
  params: none,
  inputs: {},
  outputs: { documents, start },
  async run({ outputs }) {
    await outputs.documents.write({ text: 'hello' });
    await writeFile(join(outputs.start.path, 'twin.json'), '{"kind":"none"}');
  },
});
const pretrain = defineJobStep({
  name: 'pretrain',
  version: 1,
  summary: 'Pretrain',
  job: 'pretrain-tiny',
  params: z.strictObject({ seed: z.int().default(7) }),
  inputs: { documents, start },
  outputs: { model: folder('base-model'), summary: json('summary', z.strictObject({ loss: z.number() })) },
});
const build = (builder: PipelineBuilder) => builder.step(pretrain, builder.step(read, {}));

/** A launcher whose jobs do what the test says; submitted twice, the first job is returned. */
async function puppetLauncher() {
  const folder = await temporaryFolder();
  const submitted: JobSubmission[] = [];
  const commands: string[] = [];
  const jobs = new Map<string, JobState>();
  const puppet = {
    submitted,
    commands,
    /** Exit codes of the attempts to come. */
    exits: [0],
    /** Set where the job waits for a command before it ends. */
    waits: false,
    events: [] as Partial<JobEvent>[],
  };
  let commanded: () => void = () => undefined;
  const launcher: JobLauncher = {
    identity: async (job) => `identity of ${job}`,
    async submit(submission) {
      submitted.push(submission);
      const known = jobs.get(submission.id);
      const attempt = (known?.attempt ?? 0) + (known?.state === 'running' ? 0 : 1);
      const how = known?.state === 'running' ? 'adopted' : 'started';
      jobs.set(submission.id, { state: 'running', attempt, pid: 1 });
      return { id: submission.id, attempt, how };
    },
    async *follow(job, { signal }) {
      for (const event of puppet.events) yield event as JobEvent;
      if (puppet.waits) {
        await new Promise<void>((resolve) => {
          commanded = resolve;
          signal.addEventListener('abort', () => resolve());
        });
      }
      if (signal.aborted) return;
      const code = puppet.exits.shift() ?? 0;
      const place = join(folder, job.id);
      await mkdir(join(place, 'model', 'deep'), { recursive: true });
      await writeFile(join(place, 'model', 'deep', 'weights'), '1 2 3');
      await writeFile(join(place, 'summary.json'), '{ "loss": 2.5 }');
      const outputs = { model: join(place, 'model'), summary: join(place, 'summary.json') };
      jobs.set(job.id, {
        state: 'ended',
        attempt: job.attempt,
        exit: { code, signal: null, wall: '', verdict: null, usage: null },
        outputs,
        lastLines: ['Traceback', 'ValueError'],
      });
    },
    state: async (id) => jobs.get(id) ?? null,
    async command(_id, command) {
      commands.push(command);
      puppet.exits = [20];
      commanded();
    },
    running: async () => [],
  };
  return { launcher, puppet, jobs };
}

describe('a job step', () => {
  test('hands files to a job under its key and stores what the job left', async () => {
    const { launcher, puppet } = await puppetLauncher();
    puppet.events = [
      { type: 'phase', data: { name: 'train' } },
      {
        type: 'metric',
        data: {
          points: {
            loss: [
              [1, 3],
              [2, 2.5],
            ],
            grad: [[2, 'NaN']],
          },
        },
      },
      { type: 'progress', data: { done: 2, total: 2, unit: 'steps' } },
    ] as Partial<JobEvent>[];
    const rig = await engineRig({ ports: { jobLauncher: launcher } });
    const { outcomes, events, finished } = await rig.run(build);
    expect(outcomes).toEqual({ read: 'succeeded', pretrain: 'succeeded' });
    const [submission] = puppet.submitted;
    expect(submission).toMatchObject({ job: 'pretrain-tiny', params: { seed: 7 }, outputs: ['model', 'summary'] });
    expect(submission!.id).toMatch(/^[0-9a-f]{64}$/);
    expect(await readFile(submission!.inputs['documents']!, 'utf8')).toBe('{"text":"hello"}\n');
    expect(finished('pretrain').artifacts).toMatchObject({
      model: { kind: 'folder', files: 1, bytes: 5 },
      summary: { inline: { loss: 2.5 } },
    });
    expect(events.filter((event) => event.type.startsWith('job-')).map(({ run: _run, ...event }) => event)).toEqual([
      { type: 'job-launched', step: 'pretrain', job: submission!.id, how: 'started', attempt: 1 },
      { type: 'job-phase', step: 'pretrain', phase: 'train' },
      { type: 'job-metric', step: 'pretrain', at: 2, values: { loss: 2.5, grad: 'NaN' } },
    ]);
    expect((await rig.run(build)).outcomes['pretrain']).toBe('cached');
    expect(puppet.submitted).toHaveLength(1);
  });

  test('that was preempted by somebody else goes on in another attempt', async () => {
    const { launcher, puppet } = await puppetLauncher();
    puppet.exits = [20, 0];
    const quick = { ...pretrain, retry: { attempts: 2, firstDelayMs: 1 } };
    const rig = await engineRig({ ports: { jobLauncher: launcher } });
    const { outcomes, events } = await rig.run((builder) => builder.step(quick, builder.step(read, {})));
    expect(outcomes['pretrain']).toBe('succeeded');
    expect(events.filter((event) => event.type === 'job-launched').map((event) => event.attempt)).toEqual([1, 2]);
  });

  test('that runs out of memory three times, though the launcher makes it smaller, fails with what helps', async () => {
    const { launcher, puppet } = await puppetLauncher();
    puppet.exits = [30, 30, 30];
    const quick = { ...pretrain, retry: { firstDelayMs: 1 } };
    const rig = await engineRig({ ports: { jobLauncher: launcher } });
    const { end } = await rig.run((builder) => builder.step(quick, builder.step(read, {})));
    expect(end.problem).toEqual({
      reason: 'out-of-memory',
      message: 'Job pretrain-tiny of step pretrain ended with out-of-memory (exit 30)',
      where: 'pretrain',
      found: 'Traceback\nValueError',
      hint: 'Lower batchSize and raise gradientAccumulation by as much, so that the result stays the same',
      exit: 1,
    });
    expect(puppet.submitted).toHaveLength(3);
  });

  test('tells a job to stop at a checkpoint when the run is stopped, and waits for it', async () => {
    const { launcher, puppet, jobs } = await puppetLauncher();
    puppet.waits = true;
    const controller = new AbortController();
    const rig = await engineRig({ ports: { jobLauncher: launcher } });
    const { outcomes, end } = await rig.run(build, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'job-launched') setImmediate(() => controller.abort());
      },
    });
    expect(outcomes).toEqual({ read: 'succeeded', pretrain: 'cancelled cancelled-by-user' });
    expect(end.status).toBe('cancelled');
    expect(puppet.commands).toEqual(['stop']);
    expect([...jobs.values()][0]).toMatchObject({ state: 'ended', exit: { code: 20 } });
  });

  test('leaves a job to its keeper where the process alone goes, and adopts it in the next run', async () => {
    const { launcher, puppet, jobs } = await puppetLauncher();
    puppet.waits = true;
    const controller = new AbortController();
    const rig = await engineRig({ ports: { jobLauncher: launcher } });
    await rig.run(build, {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === 'job-launched') setImmediate(() => controller.abort(leaveJobs));
      },
    });
    expect(puppet.commands).toEqual([]);
    expect([...jobs.values()][0]?.state).toBe('running');
    puppet.waits = false;
    const { outcomes, events } = await rig.run(build);
    expect(outcomes).toEqual({ read: 'cached', pretrain: 'succeeded' });
    expect(events.find((event) => event.type === 'job-launched')).toMatchObject({ how: 'adopted', attempt: 1 });
  });
});
