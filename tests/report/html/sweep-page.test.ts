import { describe, expect, test } from 'vitest';
import type { SweepVariant } from '../../../src/contracts/sweep.ts';
import { sweepPage } from '../../../src/report/html/sweep-page.ts';
import { sweepText } from '../../../src/report/results/sweep.ts';
import { fallingCurve } from '../../support/run-report.ts';

const variant = (number: number, rate: number, validationLoss: number | null, more: Partial<SweepVariant> = {}): SweepVariant => ({
  type: 'sweep-variant',
  variant: number,
  values: { 'train-sft.learningRate': rate },
  run: `20261126-17000${number}-aaaa`,
  status: 'succeeded',
  problem: null,
  durationMs: 61_000,
  job:
    validationLoss === null
      ? null
      : { step: 'train-sft', job: `${number}f9b`.repeat(16), seconds: 60, metrics: { loss: 2.3456, validationLoss } },
  ...more,
});
const finished = {
  type: 'sweep-finished',
  sweep: 'sweep-20261126-170000-aaaa',
  pipeline: 'training-pipeline',
  durationMs: 190_000,
  report: null,
  variants: [
    variant(1, 0.0001, 2.5),
    variant(2, 0.0003, null, { status: 'failed', problem: 'loss became nan' }),
    variant(3, 0.001, 2.25),
    variant(4, 0.003, null, { status: 'not-run', run: null, durationMs: 0 }),
  ],
} as const;

describe('what a sweep says at its end', () => {
  test('sorts variants by their loss on held-out rows, and names jobs to compare and what failed', () => {
    expect(sweepText(finished, (_, text) => text)).toMatchInlineSnapshot(`
      "
      training-pipeline sweep-20261126-170000-aaaa: 2 of 4 variants succeeded after 3 min 10 s.
         train-sft.learningRate  STATUS      loss  validationLoss  TIME        JOB           RUN
      3                   0.001  succeeded  2.346            2.25  1 min 01 s  3f9b3f9b3f9b  20261126-170003-aaaa
      1                  0.0001  succeeded  2.346             2.5  1 min 01 s  1f9b1f9b1f9b  20261126-170001-aaaa
      2                  0.0003  failed                            1 min 01 s                20261126-170002-aaaa
      4                   0.003  not-run
        variant 2: loss became nan
      → twin jobs compare 3f9b3f9b3f9b 1f9b1f9b1f9b"
    `);
  });

  test('has a page with the curves of all variants, the best first, beside the reports of their runs', () => {
    const page = sweepPage({
      ...finished,
      curves: new Map([
        [1, fallingCurve('loss')],
        [3, fallingCurve('loss')],
      ]),
      at: 0,
    });
    const order = [...page.matchAll(/<b>(\d: [\d.]+)<\/b>/g)].map(([, caption]) => caption);
    expect(order).toEqual(['3: 0.001', '1: 0.0001']);
    expect([...page.matchAll(/href="([^"]+\.html)"/g)].map(([, link]) => link)).toEqual([
      '20261126-170003-aaaa.html',
      '20261126-170001-aaaa.html',
      '20261126-170002-aaaa.html',
    ]);
  });

  test('holds no markup but its own', () => {
    const evil = '</title><script>window.hacked=1</script>';
    const hostile = variant(1, 1, 1, { values: { [evil]: evil }, problem: evil });
    const page = sweepPage({ ...finished, pipeline: evil, variants: [hostile], curves: new Map([[1, fallingCurve(evil)]]), at: 0 });
    expect(page).not.toContain('<script');
    expect(page).toContain('&lt;script&gt;');
  });
});
