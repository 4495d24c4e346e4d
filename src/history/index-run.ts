import type { Json } from '../contracts/digest.ts';
import type { Problem } from '../contracts/problem.ts';
import type { PlannedStep, RunRecord, RunSummary, StepResult } from '../contracts/run.ts';
import type { MetadataStore, RowWrite } from '../ports/metadata-store.ts';
import { failureSignature } from './failure-signature.ts';
import {
  failuresTable,
  type LatestKeys,
  latestTable,
  openRunsTable,
  producerKey,
  producersTable,
  resultsTable,
  runsTable,
} from './tables.ts';

/** Writes to derived tables, by table. */
export type IndexWrites = ReadonlyMap<string, readonly RowWrite[]>;

/** Writes derived rows. That a run is no longer open is written last: whoever finds it open writes all of them again. */
export async function writeIndexes(store: MetadataStore, writes: IndexWrites): Promise<void> {
  const open = writes.get(openRunsTable);
  await Promise.all([...writes].filter(([, rows]) => rows !== open).map(([table, rows]) => store.putMany(table, rows)));
  if (open) await store.putMany(openRunsTable, open);
}

/**
 * What a run's records come to in the tables that are derived from its stream: given all of them in order, at once or in parts.
 * `latestBefore` are the newest results of its pipeline before it began.
 */
export function indexRun(run: string, latestBefore: LatestKeys): (records: readonly RunRecord[]) => IndexWrites {
  let steps: ReadonlyMap<string, PlannedStep> = new Map();
  let summary: RunSummary | undefined;
  let latest = latestBefore;
  return (records) => {
    const writes = new Map<string, RowWrite[]>();
    const put = (table: string, key: string, row: unknown): void => {
      const write: RowWrite = { key, expectedRevision: null, row: row as Json };
      const known = writes.get(table);
      if (known) known.push(write);
      else writes.set(table, [write]);
    };
    latest = latestAfter(latest, records);
    for (const record of records) {
      if (record.type === 'run-started') {
        steps = new Map(record.steps.map((step) => [step.address, step]));
        summary = startedSummary(record);
        put(runsTable, run, summary);
        put(openRunsTable, run, { holder: record.holder });
      } else if (record.type === 'step-finished') {
        const { step, problem, outcome, at } = record;
        if (outcome === 'failed' && problem !== null) {
          const signature = failureSignature(steps.get(step)?.step ?? step, problem as Problem);
          put(failuresTable, `${signature}/${run}/${step}`, { at });
        }
        const result = resultOf(run, steps, record);
        if (!result) continue;
        put(resultsTable, result.key, result);
        for (const { digest } of Object.values(result.artifacts)) put(producersTable, producerKey(digest, result.key), {});
      } else if (record.type === 'run-finished' && summary) {
        const { status, reason, durationMs } = record;
        put(runsTable, run, { ...summary, status, reason, durationMs, steps: record.steps });
        put(openRunsTable, run, null);
        if (latest !== latestBefore) put(latestTable, summary.pipeline, latest);
      }
    }
    return writes;
  };
}

function startedSummary({ run, pipeline, at, holder }: RunRecord & { readonly type: 'run-started' }): RunSummary {
  return { run, pipeline, status: 'running', reason: null, startedAt: at, durationMs: null, steps: null, holder };
}

/** The newest results of a pipeline after what these records tell; the given object itself where they change nothing. */
function latestAfter(before: LatestKeys, records: readonly RunRecord[]): LatestKeys {
  const changed: Record<string, string> = {};
  for (const record of records) {
    if (record.type !== 'step-finished' || record.key === null) continue;
    if (record.outcome !== 'succeeded' && record.outcome !== 'cached') continue;
    if (before[record.step] !== record.key) changed[record.step] = record.key;
  }
  return Object.keys(changed).length > 0 ? { ...before, ...changed } : before;
}

/** The result that a record tells of; null where the step made none itself. */
function resultOf(
  run: string,
  steps: ReadonlyMap<string, PlannedStep>,
  record: RunRecord & { readonly type: 'step-finished' },
): StepResult | null {
  const { outcome, key, parts, step: address, artifacts, counts, durationMs, at } = record;
  if ((outcome !== 'succeeded' && outcome !== 'cached') || key === null || parts === null) return null;
  return { key, step: steps.get(address)!.step, address, run, parts, artifacts, counts, durationMs, at };
}
