import { beforeEach, expect, test } from 'vitest';
import type { Json } from '../../src/contracts/digest.ts';
import type { RunRecord } from '../../src/contracts/run.ts';
import { foldRun } from '../../src/history/fold.ts';
import { indexRun } from '../../src/history/index-run.ts';
import { listRuns, showRun } from '../../src/history/runs.ts';
import { runStream } from '../../src/history/tables.ts';
import { testHolder as holder } from '../support/engine-rig.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';

let store: ReturnType<typeof memoryMetadataStore>;
beforeEach(() => {
  store = memoryMetadataStore();
});

const step = (address: string) => ({ address, step: address, kind: 'step' as const, summary: address, inputs: {}, place: 'here:1' });
const started = (run: string, pipeline = 'nightly'): RunRecord => ({
  type: 'run-started',
  run,
  pipeline,
  at: 1000,
  holder,
  profile: 'embedded',
  steps: [step('read'), step('train'), step('report')],
  origin: null,
});
const finished = (address: string, outcome: 'succeeded' | 'cached' | 'failed'): RunRecord => ({
  type: 'step-finished',
  step: address,
  outcome,
  reason: outcome === 'failed' ? 'error' : null,
  key: 'k',
  artifacts: {},
  counts: { rows: 3 },
  parts: null,
  at: 2000,
  durationMs: 5,
  problem: outcome === 'failed' ? { reason: 'broken', message: 'It broke', exit: 1 } : null,
});

async function write(run: string, ...records: RunRecord[]): Promise<void> {
  await store.append(runStream(run), 0, records as unknown as Json[]);
  for (const [table, writes] of indexRun(run, {})(records)) await store.putMany(table, writes);
}

test('a run that goes on is told step by step', () => {
  const view = foldRun([started('r1'), finished('read', 'cached'), { type: 'step-started', step: 'train', attempt: 2, key: 'k2' }]);
  expect(view).toMatchObject({
    run: 'r1',
    status: 'running',
    durationMs: null,
    counts: { succeeded: 0, cached: 1, failed: 0, skipped: 0, cancelled: 0 },
  });
  expect(view?.steps.map(({ address, state, attempts, key }) => ({ address, state, attempts, key }))).toEqual([
    { address: 'read', state: 'cached', attempts: 0, key: 'k' },
    { address: 'train', state: 'running', attempts: 2, key: 'k2' },
    { address: 'report', state: 'ready', attempts: 0, key: null },
  ]);
  expect(foldRun([])).toBeNull();
});

test('runs are listed newest first, of one pipeline where that is asked for', async () => {
  await write('20260101-000000-aaaa', started('20260101-000000-aaaa'));
  await write('20260102-000000-bbbb', started('20260102-000000-bbbb', 'feature-pipeline'));
  await write('20260103-000000-cccc', started('20260103-000000-cccc'));
  expect((await listRuns(store, { limit: 2 })).map(({ run }) => run)).toEqual(['20260103-000000-cccc', '20260102-000000-bbbb']);
  expect((await listRuns(store, { pipeline: 'nightly' })).map(({ run }) => run)).toEqual(['20260103-000000-cccc', '20260101-000000-aaaa']);
});

test('a run is found by its id, by an unambiguous part of it, or as the latest', async () => {
  await write('20260101-000000-aaaa', started('20260101-000000-aaaa'), finished('read', 'failed'));
  await write('20260102-000000-bbbb', started('20260102-000000-bbbb'));
  const found = async (id: string) => {
    const view = await showRun(store, id);
    return view.ok ? view.value.run : `${view.error.reason}: ${view.error.message}. ${view.error.hint}`;
  };
  expect(await found('20260101-000000-aaaa')).toBe('20260101-000000-aaaa');
  expect(await found('aaaa')).toBe('20260101-000000-aaaa');
  expect(await found('latest')).toBe('20260102-000000-bbbb');
  expect(await found('2026')).toBe('ambiguous-run: 2 runs are called 2026. twin runs list shows the ids');
  expect(await found('20260101-000000-aaab')).toBe('unknown-run: There is no run 20260101-000000-aaab. Did you mean 20260101-000000-aaaa?');
});
