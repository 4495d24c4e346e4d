import type { Json } from '../contracts/digest.ts';
import type { RunEvent } from '../contracts/events/run.ts';
import type { Holder, RunRecord, RunSummary } from '../contracts/run.ts';
import { countSteps, foldRun } from '../history/fold.ts';
import { type LatestKeys, latestAfter, latestTable, leasesTable, openRunsTable, runStream, runsTable } from '../history/tables.ts';
import { readRun } from '../history/runs.ts';
import type { LeaseClient } from './locks.ts';

/** The lease of a run: who holds it is alive. */
export function runLease(run: string): string {
  return `run/${run}`;
}

/** Closes runs whose process is gone as failed, `interrupted`: what they finished are hits, their jobs can be adopted. */
export async function closeDeadRuns({ store, isDead }: LeaseClient, emit: (event: RunEvent) => void): Promise<void> {
  for (const row of await store.scan(openRunsTable, '', '', 1000)) {
    const { holder } = row.row as unknown as { holder: Holder };
    const [lease] = await store.get(leasesTable, [runLease(row.key)]);
    if (lease && !isDead(holder)) continue;
    const closed = await close(store, row.key);
    if (closed) emit({ type: 'run-closed', run: row.key, pipeline: closed, reason: 'interrupted' });
  }
}

/** Writes the end that a run's process could not write; the pipeline's name, or null where somebody else was faster. */
async function close(store: LeaseClient['store'], run: string): Promise<string | null> {
  const records = await readRun(store, run);
  const view = foldRun(records);
  if (!view) return null;
  const at = await store.now();
  const durationMs = Math.max(0, at - view.startedAt);
  const ends: RunRecord[] = [];
  if (view.status === 'running') {
    for (const step of view.steps) {
      if (step.state !== 'pending' && step.state !== 'running') continue;
      const end =
        step.state === 'running'
          ? ({ outcome: 'failed', reason: 'lost' } as const)
          : ({ outcome: 'cancelled', reason: 'upstream-failed' } as const);
      ends.push({
        type: 'step-finished',
        step: step.address,
        ...end,
        key: step.key,
        artifacts: {},
        counts: {},
        parts: null,
        at,
        durationMs: 0,
        problem: null,
      });
    }
    const steps = countSteps([
      ...view.steps.map((step) => step.state),
      ...ends.map((end) => (end.type === 'step-finished' ? end.outcome : 'pending')),
    ]);
    ends.push({ type: 'run-finished', status: 'failed', reason: 'interrupted', steps, durationMs });
    const appended = await store.append(runStream(run), records.length, ends as unknown as Json[]);
    if (!appended.ok) return null;
  }
  const final = foldRun([...records, ...ends])!;
  const { pipeline, status, reason, startedAt, holder, counts } = final;
  const summary: RunSummary = { run, pipeline, status, reason, startedAt, durationMs: final.durationMs, steps: counts, holder };
  await store.putMany(runsTable, [{ key: run, expectedRevision: null, row: summary }]);
  const [latest] = await store.get(latestTable, [pipeline]);
  const keys = latestAfter((latest?.row ?? {}) as LatestKeys, records);
  if (keys !== latest?.row) await store.putMany(latestTable, [{ key: pipeline, expectedRevision: null, row: keys }]);
  await store.putMany(openRunsTable, [{ key: run, expectedRevision: null, row: null }]);
  return pipeline;
}
