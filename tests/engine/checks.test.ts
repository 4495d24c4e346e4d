import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import type { CodeHasher } from '../../src/engine/code-hash.ts';
import { type Check, type PipelineBuilder, defineCheck, defineStep } from '../../src/engine/define.ts';
import { showRun } from '../../src/history/runs.ts';
import { runText } from '../../src/report/results/runs.ts';
import { engineRig } from '../support/engine-rig.ts';

const posts = rows('posts', z.strictObject({ id: z.int(), at: z.number() }));
const hour = 3_600_000;
const read = defineStep({
  name: 'read',
  version: 1,
  summary: 'Read posts',
  params: z.strictObject({ count: z.int().default(3), at: z.number().default(0) }),
  inputs: {},
  outputs: { posts },
  async run({ outputs, params }) {
    for (let id = 0; id < params.count; id++) await outputs.posts.write({ id, at: params.at });
  },
});
const use = defineStep({
  name: 'use',
  version: 1,
  summary: 'Use posts',
  params: z.strictObject({}),
  inputs: { posts },
  outputs: { number: json('number', z.int()) },
  run: ({ inputs, outputs }) => outputs.number.write(inputs.posts.count),
});
let asked: number;
let codeOfCheck: string;
beforeEach(() => {
  asked = 0;
  codeOfCheck = 'check 1';
});
const enough = (level: 'blocking' | 'warning') =>
  defineCheck({
    name: 'enough',
    summary: 'There are enough posts',
    level,
    artifact: posts,
    run({ artifact }) {
      asked++;
      return artifact.count >= 3 ? { ok: true } : { ok: false, expected: 'at least 3 posts', found: String(artifact.count) };
    },
  });
const pipeline = (check: Check<typeof posts>) => (builder: PipelineBuilder) => {
  const made = builder.step(read, {});
  builder.check(made.posts, check);
  builder.step(use, made);
};
/** A check and a step stand in one file here, but have code of their own. */
const rigOf = async (check: Check) => {
  const place = { ...check.place, file: '/checks/enough.ts' };
  const hasher: CodeHasher = {
    prime: async () => undefined,
    hash: async (file: string) => ({ ok: true, value: file === place.file ? codeOfCheck : 'code' }),
    parts: async () => null,
  };
  return { rig: await engineRig({ hasher }), build: pipeline({ ...check, place } as Check<typeof posts>) };
};

describe('a check of an artifact', () => {
  test('that blocks refuses the run and skips what needs the artifact', async () => {
    const { rig, build } = await rigOf(enough('blocking'));
    const { outcomes, end } = await rig.run(build, { set: { 'read.count': 2 } });
    expect(outcomes).toEqual({ read: 'succeeded', use: 'skipped gate-refused' });
    expect(end).toMatchObject({ status: 'refused', reason: 'check enough of posts: expected at least 3 posts, found 2' });
    expect(end.problem).toEqual({
      reason: 'check-refused',
      message: 'Check enough of read.posts does not hold',
      where: 'read',
      expected: 'at least 3 posts',
      found: '2',
      hint: 'Steps that need it were skipped; what was made is kept and is checked again when it or the check changes',
      exit: 3,
    });
  });

  test('that warns is told, in the run and afterwards, and the run succeeds', async () => {
    const { rig, build } = await rigOf(enough('warning'));
    const { end, finished } = await rig.run(build, { set: { 'read.count': 2 } });
    expect(end.status).toBe('succeeded');
    expect(finished('read').checks).toEqual([
      { name: 'enough', output: 'posts', level: 'warning', ok: false, expected: 'at least 3 posts', found: '2', cached: false },
    ]);
    const shown = await showRun(rig.stores.metadata, end.run);
    expect(shown.ok && runText(shown.value, [], (_format, text) => text)).toContain(
      'check enough of posts: warning, expected at least 3 posts, found 2',
    );
  });

  test('is asked again on a hit only where its own code has changed, and never makes the step run again', async () => {
    const { rig, build } = await rigOf(enough('blocking'));
    await rig.run(build);
    expect(asked).toBe(1);
    const hit = await rig.run(build);
    expect(asked).toBe(1);
    expect(hit.finished('read')).toMatchObject({ outcome: 'cached', checks: [{ ok: true, cached: true }] });
    codeOfCheck = 'check 2';
    expect((await rig.run(build)).outcomes['read']).toBe('cached');
    expect(asked).toBe(2);
  });

  test('that cannot be done does not hold', async () => {
    const broken = defineCheck({
      name: 'enough',
      summary: 'Broken',
      level: 'blocking',
      artifact: posts,
      run() {
        throw new TypeError('no such field');
      },
    });
    const { rig, build } = await rigOf(broken);
    expect((await rig.run(build)).end).toMatchObject({
      status: 'refused',
      problem: { found: 'Step read, check enough threw TypeError: no such field' },
    });
  });

  test('of freshness looks at the time of the data, each time', async () => {
    const fresh = defineCheck({
      name: 'fresh',
      summary: 'Posts are of today',
      level: 'blocking',
      artifact: posts,
      withinMs: 24 * hour,
      async newest({ artifact }) {
        let newest: number | null = null;
        for await (const { at } of artifact) newest = Math.max(newest ?? 0, at);
        return newest;
      },
    });
    const { rig, build } = await rigOf(fresh);
    const at = Date.now() - 23 * hour;
    expect((await rig.run(build, { set: { 'read.at': at } })).end.status).toBe('succeeded');
    const old = await rig.run(build, { set: { 'read.at': Date.now() - 73 * hour } });
    expect(old.end.problem).toMatchObject({ expected: 'data of the last 24 hours' });
    expect(old.end.problem?.found).toMatch(/^the newest is 3 days old \(/);
    const none = await rig.run(build, { set: { 'read.count': 0 } });
    expect(none.end.problem?.found).toBe('no data that has a time');
  });

  test('wired to another artifact is refused when the pipeline is built', async () => {
    const rig = await engineRig();
    const wrong = (builder: PipelineBuilder) =>
      builder.check(builder.step(use, builder.step(read, {})).number as never, enough('blocking'));
    await expect(rig.run(wrong)).rejects.toThrow('Check enough is not for what it is wired to');
  });
});
