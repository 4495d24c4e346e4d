import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import type { Problem } from '../../src/contracts/problem.ts';
import type { PlannedStep } from '../../src/contracts/run.ts';
import { openReporter } from '../../src/report/open-reporter.ts';

const run = '3f2a9c';
const problem: Problem = {
  reason: 'out-of-memory',
  message: 'The job ran out of memory',
  where: 'train-sft, attempt 2',
  expected: '4 GB',
  found: '2 GB',
  hint: 'Set train-sft.batchSize=1',
  exit: 1,
};

function planned(address: string): PlannedStep {
  return { address, step: address, kind: 'step', summary: '', inputs: {}, place: 'pipelines/x.ts:1' };
}

function finished(step: string, more: Partial<Extract<RunEvent, { type: 'step-finished' }>>): RunEvent {
  return {
    type: 'step-finished',
    run,
    step,
    outcome: 'succeeded',
    reason: null,
    counts: {},
    artifacts: {},
    durationMs: 1234,
    problem: null,
    ...more,
  };
}

const events: readonly RunEvent[] = [
  { type: 'run-closed', run: '11aa', pipeline: 'nightly', reason: 'interrupted' },
  {
    type: 'run-started',
    run,
    pipeline: 'nightly',
    steps: ['collect-sources', 'sync-index', 'gate-dataset', 'train-sft', 'answer'].map(planned),
  },
  {
    type: 'waiting',
    run,
    target: 'index documents',
    holder: { host: 'mill', bootId: 'b', pidNamespace: 'n', pid: 4711, start: '1', command: 'twin run feature-pipeline' },
    heldForMs: 72_000,
  },
  finished('collect-sources', { outcome: 'cached', counts: { documents: 9 } }),
  { type: 'step-started', run, step: 'sync-index', attempt: 1 },
  { type: 'step-log', run, step: 'sync-index', message: 'docs/a.md: 3 characters could not be read' },
  { type: 'step-progress', run, step: 'sync-index', done: 128, total: 900, remainingMs: 12_300, unit: 'documents' },
  finished('sync-index', { counts: { documents: 900, chunks: 12_345, 'dropped: too-short': 2, 'dropped: empty': 1, rejected: 0 } }),
  finished('gate-dataset', {
    artifacts: {
      report: {
        kind: 'json',
        name: 'evaluation-report',
        digest: 'a'.repeat(64),
        bytes: 1,
        inline: { verdict: 'undecided', reasons: ['the interval holds zero'] },
      },
    },
  }),
  { type: 'job-launched', run, step: 'train-sft', job: 'j1', how: 'adopted', attempt: 1 },
  { type: 'job-phase', run, step: 'train-sft', phase: 'train' },
  { type: 'job-metric', run, step: 'train-sft', at: 3, values: { loss: 2.314159, grad: 'NaN' } },
  { type: 'step-retry', run, step: 'train-sft', attempt: 2, failure: 'out-of-memory', delayMs: 2000, problem },
  { type: 'cache-miss', run, step: 'train-sft', message: 'its output adapter is gone from the artifact store' },
  finished('train-sft', { outcome: 'failed', reason: 'error', problem, durationMs: 200_000 }),
  finished('answer', { outcome: 'cancelled', reason: 'upstream-failed', problem, durationMs: 0 }),
  {
    type: 'run-finished',
    run,
    pipeline: 'nightly',
    status: 'failed',
    reason: null,
    steps: { succeeded: 2, cached: 1, failed: 1, skipped: 0, cancelled: 1 },
    durationMs: 201_500,
  },
];

function surroundings(
  more: { readonly tty?: boolean; readonly json?: boolean; readonly quiet?: boolean; readonly environment?: Record<string, string> } = {},
) {
  const out: string[] = [];
  const err: string[] = [];
  const stream = (into: string[]) => ({ isTTY: more.tty === true, columns: 100, write: (text: string) => into.push(text) });
  return {
    options: {
      stdout: stream(out),
      stderr: stream(err),
      environment: more.environment ?? {},
      json: more.json === true,
      quiet: more.quiet === true,
    },
    out,
    err,
  };
}

describe('a run', () => {
  test('is told in plain lines to a pipe', async () => {
    const { options, out } = surroundings();
    const reporter = await openReporter(options);
    for (const event of events) reporter.event(event);
    expect(out.join('')).toMatchInlineSnapshot(`
      "closed run 11aa of nightly: its process had died; what it finished is kept
      nightly: 5 steps (run 3f2a9c)
      waiting for index documents, held by twin run feature-pipeline (pid 4711 on mill) for 1 min 12 s
        cached     collect-sources              as before: 9 documents
        sync-index: docs/a.md: 3 characters could not be read
        succeeded  sync-index            1.2 s  900 documents, 12,345 chunks, 3 dropped (too short 2, empty 1)
        succeeded  gate-dataset          1.2 s
                   verdict of evaluation-report: undecided
                     - the interval holds zero
        train-sft: job was running already: following it
        train-sft: train
        train-sft: attempt 1 failed (out of memory: The job ran out of memory), again in 2.0 s
        train-sft: its output adapter is gone from the artifact store
        failed     train-sft        3 min 20 s
                   error: The job ran out of memory
                     at        train-sft, attempt 2
                     expected  4 GB
                     found     2 GB
                     → Set train-sft.batchSize=1
        cancelled  answer                       a step that it needs failed

      nightly failed after 3 min 22 s: 2 succeeded, 1 cached, 1 failed, 1 cancelled.
      → twin runs show 3f2a9c, twin runs logs 3f2a9c
      "
    `);
  });

  test('is one JSON object a line for a program, the end of the run last', async () => {
    const { options, out, err } = surroundings({ json: true });
    const reporter = await openReporter(options);
    for (const event of events) reporter.event(event);
    const lines = out.join('').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events);
    expect(JSON.parse(lines.at(-1)!)).toMatchObject({ type: 'run-finished', status: 'failed' });
    expect(err).toEqual([]);
  });

  test('is not mentioned with --quiet but for what failed', async () => {
    const { options, out, err } = surroundings({ quiet: true });
    const reporter = await openReporter(options);
    for (const event of events) reporter.event(event);
    expect(out).toEqual([]);
    expect(err.join('')).toMatchInlineSnapshot(`
      "train-sft failed
      error: The job ran out of memory
        at        train-sft, attempt 2
        expected  4 GB
        found     2 GB
        → Set train-sft.batchSize=1
      "
    `);
  });

  test('has colours on a terminal only, and not with NO_COLOR', async () => {
    const coloured = async (more: Parameters<typeof surroundings>[0]) => {
      const { options, out } = surroundings(more);
      const reporter = await openReporter(options);
      for (const event of events) reporter.event(event);
      reporter.close();
      return out.some((text) => text.includes('\u001B[3'));
    };
    expect(await coloured({ tty: true, environment: { CI: 'true' } })).toBe(true);
    expect(await coloured({ tty: true, environment: { CI: 'true', NO_COLOR: '1' } })).toBe(false);
    expect(await coloured({})).toBe(false);
  });

  test('says how far a long step has come, every ten seconds in plain lines', async () => {
    vi.useFakeTimers();
    const { options, out } = surroundings();
    const reporter = await openReporter(options);
    reporter.event({ type: 'step-started', run, step: 'sync-index', attempt: 1 });
    for (let second = 1; second <= 25; second++) {
      vi.advanceTimersByTime(1000);
      reporter.event({
        type: 'step-progress',
        run,
        step: 'sync-index',
        done: second,
        total: 100,
        remainingMs: (100 - second) * 1000,
        unit: 'documents',
      });
    }
    vi.useRealTimers();
    expect(out.join('')).toBe(
      '  sync-index: 10 of 100 documents, 10 %, about 1 min 30 s to go\n  sync-index: 20 of 100 documents, 20 %, about 1 min 20 s to go\n',
    );
  });
});

describe('the live view', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('shows what runs with bar, estimate and metrics, and leaves only finished lines behind', async () => {
    const { options, out } = surroundings({ tty: true });
    const reporter = await openReporter(options);
    for (const event of events.slice(1, 2)) reporter.event(event);
    reporter.event({ type: 'step-started', run, step: 'train-sft', attempt: 1 });
    reporter.event({ type: 'job-phase', run, step: 'train-sft', phase: 'train' });
    reporter.event({ type: 'step-progress', run, step: 'train-sft', done: 15, total: 30, remainingMs: 4000, unit: 'steps' });
    reporter.event({ type: 'job-metric', run, step: 'train-sft', at: 15, values: { loss: 2.5 } });
    out.length = 0;
    vi.advanceTimersByTime(100);
    expect(stripVTControlCharacters(out.join(''))).toMatchInlineSnapshot(`
      "⠙ train-sft       0.1 s  train  ██████████░░░░░░░░░░  15 of 30 steps, 50 %, about 4.0 s to go  los…
        0 of 5 steps done, 0.1 s, at most about 4.0 s to go
      "
    `);
    reporter.event(finished('train-sft', {}));
    out.length = 0;
    reporter.event(events.at(-1)!);
    expect(stripVTControlCharacters(out.join('')).trim().split('\n')[0]).toBe(
      'nightly failed after 3 min 22 s: 2 succeeded, 1 cached, 1 failed, 1 cancelled.',
    );
    expect(out.join('')).toContain('\u001B[?25h');
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('problems go to standard error, or are the last lines of JSON', async () => {
  const plain = surroundings();
  (await openReporter(plain.options)).problems([problem]);
  expect(plain.out).toEqual([]);
  expect(plain.err.join('')).toMatchInlineSnapshot(`
    "error: The job ran out of memory
      at        train-sft, attempt 2
      expected  4 GB
      found     2 GB
      → Set train-sft.batchSize=1
    "
  `);
  const json = surroundings({ json: true });
  (await openReporter(json.options)).problems([problem]);
  expect(json.out.join('')).toBe(
    '{"type":"error","reason":"out-of-memory","message":"The job ran out of memory","hint":"Set train-sft.batchSize=1","where":"train-sft, attempt 2","expected":"4 GB","found":"2 GB"}\n',
  );
});
