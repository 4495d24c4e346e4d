import { expect, test } from 'vitest';
import type { FailureCard } from '../../src/contracts/failure-card.ts';
import { annotations } from '../../src/report/annotations.ts';
import { runSummary } from '../../src/report/summary.ts';
import { runReport, stepView } from '../support/run-report.ts';

const card: FailureCard = {
  type: 'failure',
  run: 'r',
  step: 'training-pipeline.train-sft',
  attempts: 2,
  class: 'out-of-memory',
  problem: {
    reason: 'out-of-memory',
    message: 'Job train-sft ended: memory ran out at 100%\nfor <b>batch|8</b> of @team',
    found: '2 GB',
    hint: 'Lower batchSize, raise gradientAccumulation',
    exit: 1,
  },
  frame: { language: 'python', file: '/repo/python-workers/twin_workers/jobs/train_sft.py', line: 88, in: 'run', source: [] },
  lastLines: [
    { at: 1, stream: 'job', text: '\u001B[31mstep 12\u001B[0m' },
    { at: 1, stream: 'job', text: 'a fence: ``` and more' },
  ],
  since: { run: 'r0', at: new Date(2026, 2, 1, 4, 5).getTime(), changes: [{ part: 'params', name: 'batchSize', before: 4, after: 8 }] },
  similar: { count: 2, last: { run: 'r0', at: new Date(2026, 2, 1, 4, 5).getTime() } },
  resume: 'twin run nightly',
};
const { view } = runReport(
  [
    stepView('collect', { state: 'cached', counts: { documents: 9 } }),
    stepView('training-pipeline.train-sft', { state: 'failed', reason: 'error', problem: card.problem }),
    stepView('train-dpo', { state: 'cancelled', reason: 'upstream-failed' }),
  ],
  { status: 'failed' },
);

test('a failed run on the summary page of a CI job', () => {
  expect(runSummary(view, { failures: [card], report: '/repo/.twin/reports/r.html', root: '/repo' })).toMatchInlineSnapshot(`
    "### ❌ test failed after 1.2 s

    1 cached, 1 failed, 1 cancelled. Run \`20260301-040506-mill\`, report \`.twin/reports/r.html\`.

    #### ✗ training-pipeline.train-sft: memory ran out

    Job train-sft ended: memory ran out at 100% for &lt;b>batch\\|8&lt;/b> of @<!---->team

    - at \`python-workers/twin_workers/jobs/train_sft.py:88 in run\`
    - found 2 GB
    - since it succeeded in run r0 (2026-03-01 04:05):
      - batchSize 4 → 8
    - failed like this twice before, last in run r0 (2026-03-01 04:05)
    - what to do: Lower batchSize, raise gradientAccumulation
    - go on from here: \`twin run nightly\`

    <details><summary>Last lines</summary>

    \`\`\`\`text
    step 12
    a fence: \`\`\` and more
    \`\`\`\`

    </details>

    <details><summary>Steps</summary>

    | step | outcome | took | |
    | --- | --- | ---: | --- |
    | collect | cached |  | as before: 9 documents |
    | training-pipeline.train-sft | failed | 1.2 s | Job train-sft ended: memory ran out at 100% for &lt;b>batch\\|8&lt;/b> of @<!---->team |
    | train-dpo | cancelled |  | a step that it needs failed |

    </details>


    "
  `);
});

test('a refused run on the summary page of a CI job', () => {
  const judge = stepView('judge', {
    artifacts: {
      report: {
        kind: 'json',
        name: 'report',
        digest: '0'.repeat(64),
        bytes: 1,
        inline: { verdict: 'refuse', reasons: ['3 words are too few'] },
      },
    },
  });
  const refused = runReport([judge], { status: 'refused' });
  const told = { ...refused.view, reason: '3 words are too few' };
  expect(runSummary(told, { failures: [], report: null, root: '/repo' })).toMatchInlineSnapshot(`
    "### ⛔ test refused (3 words are too few) after 1.2 s

    1 succeeded. Run \`20260301-040506-mill\`.

    | step | outcome | took | |
    | --- | --- | ---: | --- |
    | judge | succeeded | 1.2 s |  |

    verdict of report: refuse

    - 3 words are too few

    "
  `);
  expect(annotations(told, [], '/repo')).toMatchInlineSnapshot(`
    [
      "::warning title=test was refused::3 words are too few",
    ]
  `);
});

test('a summary of very many steps stays within what a summary page takes', () => {
  const many = runReport(Array.from({ length: 20_000 }, (_, at) => stepView(`step-${at}`)));
  const text = runSummary(many.view, { failures: [], report: null, root: '/repo' });
  expect(text.length).toBeLessThan(100_000);
  expect(text).toContain('19,800 more steps are in the report.');
});

test('a failure is an annotation at the line of the user, or where the step is wired', () => {
  expect(annotations(view, [card], '/repo').join('\n')).toMatchInlineSnapshot(
    `"::error file=python-workers/twin_workers/jobs/train_sft.py,line=88,title=training-pipeline.train-sft%3A memory ran out::Job train-sft ended: memory ran out at 100%25%0Afor <b>batch|8</b> of @team%0ALower batchSize, raise gradientAccumulation%0AGo on from here: twin run nightly"`,
  );
  expect(annotations(view, [{ ...card, frame: null }], '/repo')[0]).toMatch(/^::error file=pipelines\/test\.ts,line=7,title=/);
});
