import type { Json } from '../contracts/digest.ts';
import type { RunEvent } from '../contracts/events/run.ts';
import type { Holder, RunRecord } from '../contracts/run.ts';
import type { RunView } from '../contracts/run-view.ts';
import { countSteps, foldRun, isOpen } from '../history/fold.ts';
import { type LatestKeys, latestTable, leasesTable, openRunsTable, runStream } from '../history/tables.ts';
import { indexRun, writeIndexes } from '../history/index-run.ts';
import { readRun } from '../history/runs.ts';
import type { LeaseClient } from './locks.ts';

/** The lease of a run: who holds it is alive. */
export function runLease(run: string): string {
  return `run/${run}`;
}

/** Says that a run is about to begin, before its stream does: a run that dies in between is found all the same. */
export async function announceRun({ store, holder }: LeaseClient, run: string): Promise<void> {
  await store.putMany(openRunsTable, [{ key: run, expectedRevision: null, row: { holder } }]);
}

/** Closes runs whose process is gone, or one such run, as failed, `interrupted`: what they finished are hits, their jobs can be adopted. */
export async function closeDeadRuns({ store, isDead }: LeaseClient, emit: (event: RunEvent) => void, only?: string): Promise<void> {
  for (const row of await store.scan(openRunsTable, only ?? '', '', 1000)) {
    if (only !== undefined && row.key !== only) continue;
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
  if (!view) {
    // It was announced and never began.
    await store.putMany(openRunsTable, [{ key: run, expectedRevision: null, row: null }]);
    return null;
  }
  const at = await store.now();
  const ends = view.status === 'running' ? endsOf(view, at) : [];
  const appended = ends.length === 0 || (await store.append(runStream(run), records.length, ends as unknown as Json[])).ok;
  if (!appended) return null;
  // The process may have died between its stream and the tables, so all of them are written again.
  const [latest] = await store.get(latestTable, [view.pipeline]);
  const writes = indexRun(run, (latest?.row ?? {}) as LatestKeys)([...records, ...ends]);
  await writeIndexes(store, writes);
  return view.pipeline;
}

/** The records that end a run which nobody goes on with. */
function endsOf(view: RunView, at: number): readonly RunRecord[] {
  const states = new Map(view.steps.map((step) => [step.address, step.state]));
  const ends: RunRecord[] = [];
  for (const { address, state, key } of view.steps) {
    if (!isOpen(state)) continue;
    const outcome = state === 'running' ? 'failed' : 'cancelled';
    const reason = state === 'running' ? 'lost' : 'upstream-failed';
    states.set(address, outcome);
    ends.push({
      type: 'step-finished',
      step: address,
      outcome,
      reason,
      key,
      artifacts: {},
      counts: {},
      parts: null,
      at,
      durationMs: 0,
      problem: null,
    });
  }
  const durationMs = Math.max(0, at - view.startedAt);
  return [...ends, { type: 'run-finished', status: 'failed', reason: 'interrupted', steps: countSteps(states.values()), durationMs }];
}
