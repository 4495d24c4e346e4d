import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/contracts/command-results.ts';
import { resultText } from '../../src/report/results.ts';
import { plainStyle } from '../../src/report/style.ts';

const words = (result: CommandResult) => resultText(result, plainStyle);

const passage = {
  document: 'd1',
  heading: 'Pipelines > Nightly',
  start: 10,
  end: 90,
  score: 0.0321,
  address: 'file:docs/nightly.md',
  title: 'Nightly',
  text: `The nightly pipeline chains all others. ${'It goes on and on. '.repeat(30)}`,
};

describe('an answer', () => {
  const asked = { type: 'answer', question: 'What is nightly?', timings: { search: 12.4, fuse: 0.2 } } as const;

  test('without a model is its passages, and says so', async () => {
    expect(await words({ ...asked, answer: null, model: null, passages: [passage] })).toMatchInlineSnapshot(`
      "What is nightly?

      No chat model is configured, so these passages are the answer (chatModel in configs/local.yaml):

      [1] file:docs/nightly.md › Pipelines > Nightly
          characters 10 to 90, score 0.032
          The nightly pipeline chains all others. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on and on. It goes on …

      search 12 ms, fuse 0 ms"
    `);
  });

  test('in words names the model and what it stands on', async () => {
    expect(await words({ ...asked, answer: 'All of them [1].', model: 'qwen3', passages: [{ ...passage, heading: '', text: 'Short.' }] }))
      .toMatchInlineSnapshot(`
        "What is nightly?

        All of them [1].

        answered by qwen3 from:

        [1] file:docs/nightly.md › Nightly
            characters 10 to 90, score 0.032
            Short.

        search 12 ms, fuse 0 ms"
      `);
  });

  test('that nothing was found for says what to do', async () => {
    expect(await words({ ...asked, answer: null, model: null, passages: [] })).toMatchInlineSnapshot(`
      "What is nightly?

      Nothing in the index fits this question.
      → twin collect PATH, then twin run feature-pipeline

      search 12 ms, fuse 0 ms"
    `);
  });
});

test('an index that equals its source is told from one that does not', async () => {
  const verified = { type: 'index-verified', documents: 900, points: 12_345, missing: 0, stale: 0, different: 0 } as const;
  expect(await words(verified)).toBe('The index equals its source: 900 documents make 12,345 points, and exactly those are there.');
  expect(await words({ ...verified, missing: 1, stale: 2 })).toMatchInlineSnapshot(`
    "The index differs from its source: 900 documents make 12,345 points.
      missing    1 point should be there
      stale      2 points should not be there
      different  0 points should have other content
    → twin run feature-pipeline --force sync-index"
  `);
  const otherwise = { serving: 'documents-a', configured: 'documents-b' };
  expect(await words({ ...verified, different: 12_345, otherwise })).toMatchInlineSnapshot(`
    "The index was made with another configuration: readers find documents-a, and the present configuration makes documents-b.
      12,345 points differ by that; nothing says that the index is wrong for the configuration that made it
    → twin run feature-pipeline  brings readers to the present configuration; or put the other one back (flags, configs/) and verify again
    → twin index list"
  `);
});

test('a plan says why each step would run', async () => {
  const step = (address: string) =>
    ({ address, step: address, kind: 'step', summary: '', inputs: {}, place: '', rows: null, expectedMs: 1200 }) as const;
  const change = (
    part: 'params' | 'code' | 'inputs',
    name: string | null,
    before: string | number | null,
    after: string | number | null,
  ) => ({ part, name, before, after });
  const changes = [
    change('params', 'maxTokens', 200, 254),
    change('code', null, 'a', 'b'),
    change('inputs', 'documents', 'x', 'y'),
    change('params', 'model', null, 'a very long name that nobody wants to read'),
  ];
  const plan = {
    pipeline: 'nightly',
    estimate: { leastMs: 3600, mostMs: 4800, unmeasured: 1 },
    steps: [
      { ...step('collect'), prediction: { kind: 'hit', run: 'r1', at: 0 } },
      { ...step('chunk'), prediction: { kind: 'miss', reason: { kind: 'changed', run: 'r1', changes } } },
      { ...step('sync'), prediction: { kind: 'miss', reason: { kind: 'state-changed', before: 'a', after: 'b' } } },
      { ...step('train'), prediction: { kind: 'miss', reason: { kind: 'artifact-missing', output: 'adapter' } } },
      { ...step('judge'), prediction: { kind: 'unknown', until: 'train', changes: [], made: true } },
      { ...step('watch'), prediction: { kind: 'unobserved', message: 'no answer within 2 s' } },
      { ...step('answer'), prediction: { kind: 'skip', reason: 'no-champion' } },
    ],
  } as const;
  expect(await words({ type: 'plan', plan })).toMatchInlineSnapshot(`
    "nightly: 7 steps, 1 cached, 3 to run, 2 not known yet, 1 skipped, about 3.6 s to 4.8 s and 1 step that never ran
      cached   collect  made by run r1
      run      chunk    maxTokens 200 → 254; its code changed; input documents changed; and 1 more (since run r1); about 1.2 s
      run      sync     what it keeps up to date was changed since; about 1.2 s
      run      train    its output adapter is gone; about 1.2 s
      ?        judge    unknown until train; up to about 1.2 s
      ?        watch    no answer within 2 s
      skip     answer   there is no champion yet
    → twin run nightly"
  `);
});
