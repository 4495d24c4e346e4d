import { appendFile, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { guardSteps } from '../../src/cli/guard-steps.ts';
import { type PipelineBuilder, type StepContext, defineStep } from '../../src/engine/define.ts';
import { openFolderArtifactStore } from '../../src/adapters/artifact-store/folder.ts';
import { engineRig, testHolder } from '../support/engine-rig.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const outputs = { anything: json('anything', z.unknown()), rows: rows('rows', z.looseObject({})) };
type Context = StepContext<object, Record<never, never>, typeof outputs, never, Record<never, never>>;
const step = (run: (context: Context) => unknown, more: object = {}) =>
  defineStep({
    name: 'bad',
    version: 1,
    summary: 'Bad',
    params: z.strictObject({}),
    inputs: {},
    outputs,
    ...more,
    run: async (context) => {
      await run(context);
    },
  });
const runOf = async (bad: ReturnType<typeof step>, options = {}) => {
  const rig = await engineRig();
  return { rig, ...(await rig.run((builder) => builder.step(bad, {}), { graceMs: 5, ...options })) };
};
const problemOf = async (bad: ReturnType<typeof step>) => (await runOf(bad)).end.problem;

describe('a step', () => {
  test.each([NaN, Infinity, -Infinity])('that writes %s where JSON has no such number fails', async (value) => {
    const problem = await problemOf(step(({ outputs }) => outputs.anything.write({ loss: value })));
    expect(problem).toMatchObject({
      reason: 'invalid-output',
      message: `Step bad wrote a value into anything that JSON cannot hold: ${value} has no canonical JSON`,
    });
  });

  test('that writes nothing fails', async () => {
    expect((await problemOf(step(() => undefined)))?.message).toBe('Output anything of step bad was not written');
  });

  test('that writes without waiting for the disk is told to', async () => {
    const line = { text: 'x'.repeat(100_000) };
    const problem = await problemOf(
      step(({ outputs }) => {
        for (let row = 0; row < 2_000; row++) void outputs.rows.write(line);
      }),
    );
    expect(problem).toMatchObject({
      reason: 'not-awaited',
      message: 'Output rows of step bad is written faster than the disk takes it',
      expected: 'await outputs.….write(row)',
    });
  });

  test('that writes 200 MB of rows needs no memory for them', { timeout: 120_000 }, async () => {
    const line = { text: 'x'.repeat(100_000) };
    let most = 0;
    const { outcomes, finished } = await runOf(
      step(async ({ outputs }) => {
        await outputs.anything.write(1);
        globalThis.gc?.();
        const before = process.memoryUsage().rss;
        for (let row = 0; row < 2_000; row++) {
          await outputs.rows.write(line);
          if (row % 100 === 0) most = Math.max(most, process.memoryUsage().rss - before);
        }
      }),
    );
    expect(outcomes['bad']).toBe('succeeded');
    expect(finished('bad').artifacts['rows']).toMatchObject({ rows: 2_000 });
    expect(most).toBeLessThan(120_000_000);
  });

  test('that neither ends nor heeds its signal is left behind when the run is stopped', async () => {
    const controller = new AbortController();
    const { outcomes, end } = await runOf(
      step(() => {
        controller.abort();
        return new Promise(() => undefined);
      }),
      { signal: controller.signal },
    );
    expect(outcomes).toEqual({ bad: 'cancelled cancelled-by-user' });
    expect(end.status).toBe('cancelled');
  });

  test('that does so within an effect keeps its target from all others of the run', async () => {
    const rig = await engineRig();
    const effect = { effect: () => 'the index', observe: async () => 'same', timeouts: { attemptMs: 5 } };
    const stuck = step(() => new Promise(() => undefined), effect);
    const next = step(({ outputs }) => outputs.anything.write(1), effect);
    const { outcomes, end } = await rig.run(
      (builder: PipelineBuilder) => {
        builder.step(stuck, {});
        builder.step(next, {}, { as: 'next' });
      },
      { graceMs: 5, keepGoing: true, concurrency: 1 },
    );
    expect(outcomes).toEqual({ bad: 'failed timed-out', next: 'failed error' });
    expect(end.problem).toMatchObject({ reason: 'timed-out' });
  });
});

describe('a step that would end the process', () => {
  let unguard: () => void;
  beforeEach(() => {
    unguard = guardSteps();
  });
  afterEach(() => unguard());

  test('by process.exit fails, and says so', async () => {
    expect(await problemOf(step(() => process.exit(7)))).toEqual({
      reason: 'step-exited',
      message: 'Step bad called process.exit(7)',
      where: 'bad',
      expected: 'a step that returns, or throws',
      hint: 'Throw a ProblemError instead, which says what is wrong and where',
      exit: 1,
    });
  });

  test('by an error that nobody waits for fails with that error', async () => {
    const bad = step(
      () =>
        new Promise(() => {
          setTimeout(() => {
            throw new TypeError('thrown in a timer');
          }, 1);
        }),
    );
    expect((await problemOf(bad))?.message).toBe('Step bad threw TypeError: thrown in a timer');
    const rejected = step(
      () =>
        new Promise(() => {
          void Promise.reject(new TypeError('rejected'));
        }),
    );
    expect((await problemOf(rejected))?.message).toBe('Step bad threw TypeError: rejected');
  });
});

describe('what was made', () => {
  const good = step(async ({ outputs }) => {
    await outputs.anything.write(1);
    await outputs.rows.write({ id: 1 });
  });
  const build = (builder: PipelineBuilder) => builder.step(good, {});

  test('and was then edited behind our back is made again, and says so', async () => {
    const rig = await engineRig();
    const first = await rig.run(build);
    const path = await rig.stores.artifacts.localPath('file', first.finished('bad').artifacts['rows']!.digest);
    await chmod(path, 0o644);
    await appendFile(path, '{"id":2}\n');
    const second = await rig.run(build);
    expect(second.outcomes).toEqual({ bad: 'succeeded' });
    expect(second.events.find(({ type }) => type === 'cache-miss')).toMatchObject({
      message: 'Its output rows is gone from the artifact store or was changed, so the step is done again',
    });
  });

  test('is still there for a run whose clock was set back an hour', async () => {
    let offset = 0;
    const metadata = memoryMetadataStore(() => Date.now() + offset);
    const rig = await engineRig({ stores: { metadata } });
    await rig.run(build);
    offset = -3_600_000;
    expect((await rig.run(build)).outcomes).toEqual({ bad: 'cached' });
  });

  test('cannot be kept in a store that cannot be written: one problem, and the state is as it was', async () => {
    const folder = await temporaryFolder();
    // A file where the store wants its folder stands in for a read-only disk: root may write everywhere.
    await appendFile(join(folder, 'artifacts'), 'in the way');
    const rig = await engineRig({ stores: { artifacts: openFolderArtifactStore({ folder: join(folder, 'artifacts') }) } });
    const { outcomes, end } = await rig.run(build);
    expect(outcomes).toEqual({ bad: 'failed error' });
    expect(end.problem?.message).toContain(join(folder, 'artifacts'));
    const mended = await engineRig({ stores: { metadata: rig.stores.metadata } });
    expect((await mended.run(build, { holder: testHolder })).outcomes).toEqual({ bad: 'succeeded' });
  });
});
