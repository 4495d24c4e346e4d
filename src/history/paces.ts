import type { MetadataStore } from '../ports/metadata-store.ts';
import { newestRuns, readRun } from './runs.ts';

/** Runs that are looked at, and records in all: what a plan may cost does not grow with the past. */
const runsAtMost = 9;
const recordsAtMost = 5_000;

/** How long a step took in earlier runs in which it did its work. */
export interface StepPace {
  /** The middle one of its durations. */
  readonly medianMs: number;
  /** The middle one of its durations by the row that it computed; null where it counts no rows. */
  readonly rowMs: number | null;
  /** Rows that it had in the newest of these runs. */
  readonly rows: number | null;
  /** How many durations are known. */
  readonly measured: number;
}

/** The paces of a pipeline's steps, by address, from its newest runs. */
export async function paces(store: MetadataStore, pipeline: string): Promise<ReadonlyMap<string, StepPace>> {
  const durations = new Map<string, { ms: number[]; rowMs: number[]; rows: number | null }>();
  let [runs, records] = [0, 0];
  for await (const { run } of newestRuns(store, { pipeline, pageSize: 20 })) {
    if (++runs > runsAtMost || records > recordsAtMost) break;
    for (const record of await readRun(store, run)) {
      records++;
      if (record.type !== 'step-finished' || record.outcome !== 'succeeded') continue;
      const known = durations.get(record.step) ?? { ms: [], rowMs: [], rows: null };
      durations.set(record.step, known);
      known.ms.push(record.durationMs);
      const { 'rows computed': computed, 'rows reused': reused = 0 } = record.counts;
      if (computed === undefined) continue;
      known.rows ??= computed + reused;
      if (computed > 0) known.rowMs.push(record.durationMs / computed);
    }
  }
  return new Map(
    [...durations].map(([step, { ms, rowMs, rows }]) => [
      step,
      { medianMs: median(ms), rowMs: rowMs.length === 0 ? null : median(rowMs), rows, measured: ms.length },
    ]),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) / 2)]!;
}
