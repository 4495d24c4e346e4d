import { describe, expect, test } from 'vitest';
import type { FailureCard } from '../../src/contracts/failure-card.ts';
import type { Problem } from '../../src/contracts/problem.ts';
import type { RunRecord } from '../../src/contracts/run.ts';
import { failedSteps, failureCards } from '../../src/history/failure-cards.ts';
import { failureClass } from '../../src/history/failure-class.ts';
import { failureSignature } from '../../src/history/failure-signature.ts';
import { foldRun } from '../../src/history/fold.ts';
import { indexRun } from '../../src/history/index-run.ts';
import { rebuildIndexes } from '../../src/history/rebuild.ts';
import { runStream } from '../../src/history/tables.ts';
import type { Json } from '../../src/contracts/digest.ts';
import { testHolder } from '../support/engine-rig.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';

const problem: Problem = { reason: 'step-threw', message: 'Step a threw Error: 12 of 40 rows', exit: 1 };
const parts = (params: Readonly<Record<string, string | number>>) =>
  ({
    contract: 1,
    step: 'a',
    version: 1,
    code: 'c',
    params,
    inputs: {},
    ports: {},
    files: {},
    environment: {},
    extra: {},
    observed: null,
  }) as const;

function records(run: string, at: number, end: Partial<RunRecord & { readonly type: 'step-finished' }>): readonly RunRecord[] {
  return [
    {
      type: 'run-started',
      run,
      pipeline: 'p',
      at,
      holder: { ...testHolder, command: 'twin run p' },
      profile: 'server',
      steps: [{ address: 'x.a', step: 'a', kind: 'step', summary: '', inputs: {}, place: 'p.ts:1' }],
      origin: null,
    },
    { type: 'step-started', step: 'x.a', attempt: 2, key: '0'.repeat(64) },
    {
      type: 'step-finished',
      step: 'x.a',
      outcome: 'failed',
      reason: 'error',
      key: null,
      artifacts: {},
      counts: {},
      parts: null,
      at,
      durationMs: 1,
      problem,
      ...end,
    },
    {
      type: 'run-finished',
      status: 'failed',
      reason: null,
      steps: { succeeded: 0, cached: 0, failed: 1, skipped: 0, cancelled: 0 },
      durationMs: 1,
    },
  ];
}

async function storeWith(...runs: readonly (readonly RunRecord[])[]) {
  const store = memoryMetadataStore();
  for (const run of runs) {
    const [started] = run;
    const id = started?.type === 'run-started' ? started.run : '';
    await store.append(runStream(id), 0, run as unknown as Json[]);
    for (const [table, writes] of indexRun(id, {})(run)) await store.putMany(table, writes);
  }
  return store;
}

async function cardOf(store: Awaited<ReturnType<typeof storeWith>>, run: readonly RunRecord[]): Promise<FailureCard> {
  const view = foldRun(run)!;
  return (await failureCards(store, view, failedSteps(view), new Map([['x.a', [{ at: 1, stream: 'stderr', text: 'oh' }]]])))[0]!;
}

describe('the card of a failure', () => {
  const green = records('r1', 10, {
    outcome: 'succeeded',
    reason: null,
    problem: null,
    key: '1'.repeat(64),
    parts: parts({ size: 4, name: 'n' }),
  });
  const red = records('r4', 40, { key: '2'.repeat(64), parts: parts({ size: 8, name: 'n' }) });

  test('tells what has changed since the step succeeded last, and what it said', async () => {
    const card = await cardOf(await storeWith(green, red), red);
    expect(card).toMatchObject({
      type: 'failure',
      run: 'r4',
      step: 'x.a',
      attempts: 2,
      class: 'code',
      lastLines: [{ text: 'oh' }],
      resume: 'twin run p --profile server',
      since: { run: 'r1', at: 10, changes: [{ part: 'params', name: 'size', before: 4, after: 8 }] },
      similar: { count: 0, last: null },
    });
  });

  test('says nothing of changes where the step never succeeded', async () => {
    expect((await cardOf(await storeWith(red), red)).since).toBe(null);
  });

  test('counts earlier failures with the same message, numbers aside, and names the last', async () => {
    const earlier = [
      records('r2', 20, { problem: { ...problem, message: 'Step a threw Error: 7 of 9 rows' } }),
      records('r3', 30, {}),
      records('r5', 50, {}),
      records('r0', 5, { problem: { ...problem, message: 'Step a threw Error: something else' } }),
    ];
    const store = await storeWith(...earlier, red);
    expect((await cardOf(store, red)).similar).toEqual({ count: 2, last: { run: 'r3', at: 30 } });
    await rebuildIndexes(store);
    expect((await cardOf(store, red)).similar).toEqual({ count: 2, last: { run: 'r3', at: 30 } });
  });
});

test.each([
  [{ reason: 'step-threw', exit: 1 }, 'error', 'code'],
  [{ reason: 'out-of-memory', exit: 1 }, 'error', 'out-of-memory'],
  [{ reason: 'anything', exit: 1 }, 'timed-out', 'timeout'],
  [{ reason: 'lost', exit: 1 }, 'lost', 'infrastructure'],
  [{ reason: 'gap-detected', exit: 4 }, 'error', 'decision'],
  [{ reason: 'unknown-profile', exit: 2 }, 'error', 'configuration'],
  [{ reason: 'questions-unreadable', exit: 1 }, 'error', 'input'],
] as const)('%o that ended by %s is of class %s', (given, reason, expected) => {
  expect(failureClass({ message: '', ...given }, reason)).toBe(expected);
});

test('ids, digests, numbers and temporary paths make no difference between two failures', () => {
  const of = (message: string) => failureSignature('a', { reason: 'r', message, exit: 1 });
  expect(of('job 3fa9c0d1e2 took 12.5 s at /tmp/x/1')).toBe(of('job 00aa11bb22 took 7 s at /tmp/y/2'));
  expect(of('no such file')).not.toBe(of('no such folder'));
});
