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
  // Collected, and joined once: a chain of a hundred thousand steps would copy them as often.
  const changed = new Map<string, string>();
  return (records) => {
    const writes = new Map<string, RowWrite[]>();
    const put = (table: string, key: string, row: unknown): void => {
      const write: RowWrite = { key, expectedRevision: null, row: row as Json };
      const known = writes.get(table);
      if (known) known.push(write);
      else writes.set(table, [write]);
    };
    for (const record of records) {
      if (record.type === 'run-started') {
        steps = new Map(record.steps.map((step) => [step.address, step]));
        summary = startedSummary(record);
        put(runsTable, run, summary);
        put(openRunsTable, run, { holder: record.holder });
      } else if (record.type === 'step-finished') {
        const { step, problem, outcome, key, at } = record;
        if (outcome === 'failed' && problem !== null) {
          const signature = failureSignature(steps.get(step)?.step ?? step, problem as Problem);
          put(failuresTable, `${signature}/${run}/${step}`, { at });
        }
        if (key !== null && (outcome === 'succeeded' || outcome === 'cached')) changed.set(step, key);
        const result = resultOf(run, steps, record);
        if (!result) continue;
        put(resultsTable, result.key, result);
        for (const { digest } of Object.values(result.artifacts)) put(producersTable, producerKey(digest, result.key), {});
      } else if (record.type === 'run-finished' && summary) {
        const { status, reason, durationMs } = record;
        put(runsTable, run, { ...summary, status, reason, durationMs, steps: record.steps });
        put(openRunsTable, run, null);
        const latest = [...changed].filter(([address, key]) => latestBefore[address] !== key);
        if (latest.length > 0) put(latestTable, summary.pipeline, { ...latestBefore, ...Object.fromEntries(latest) });
      }
    }
    return writes;
  };
}

function startedSummary({ run, pipeline, at, holder }: RunRecord & { readonly type: 'run-started' }): RunSummary {
  return { run, pipeline, status: 'running', reason: null, startedAt: at, durationMs: null, steps: null, holder };
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
