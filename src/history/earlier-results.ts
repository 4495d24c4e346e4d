import type { StepResult } from '../contracts/run.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { newestRuns, readRun } from './runs.ts';
import { type LatestKeys, latestTable, resultsTable } from './tables.ts';

/** Different results, and runs, that are looked at for the one that differs least. */
const resultsAtMost = 5;
const runsAtMost = 30;
/** Pipelines whose newest results are looked through. */
const pipelinesAtMost = 100;

/** Which results are wanted. */
export interface EarlierOf {
  readonly pipeline: string;
  readonly address: string;
  /** Name of the step. */
  readonly step: string;
  /** Only of runs before this one. */
  readonly before?: string;
  /** The result that others are compared with. */
  readonly except?: string;
}

/** Results of a step in earlier runs of its pipeline, newest first; where there are none, the newest of other pipelines that hold the step. */
export async function earlierResults(store: MetadataStore, wanted: EarlierOf): Promise<readonly StepResult[]> {
  const keys = new Set<string>();
  let runs = 0;
  for await (const { run } of newestRuns(store, { pipeline: wanted.pipeline, before: wanted.before })) {
    if (++runs > runsAtMost || keys.size >= resultsAtMost) break;
    for (const record of await readRun(store, run)) {
      if (record.type !== 'step-finished' || record.step !== wanted.address || record.key === null || record.key === wanted.except)
        continue;
      if (record.outcome === 'succeeded' || record.outcome === 'cached') keys.add(record.key);
    }
  }
  const own = await resultsUnder(store, [...keys]);
  if (own.length > 0) return own;
  return (await latestElsewhere(store, wanted)).filter(({ key, run }) => key !== wanted.except && (!wanted.before || run < wanted.before));
}

/** The newest results of a step in any pipeline: under the last part of its address, prefixed or not. */
export async function latestElsewhere(
  store: MetadataStore,
  { address, step }: Pick<EarlierOf, 'address' | 'step'>,
): Promise<readonly StepResult[]> {
  const name = address.slice(address.lastIndexOf('.') + 1);
  const rows = await store.scan(latestTable, '', '', pipelinesAtMost);
  const keys = rows.flatMap(({ row }) =>
    Object.entries(row as LatestKeys).flatMap(([other, key]) => (other === name || other.endsWith(`.${name}`) ? [key] : [])),
  );
  return (await resultsUnder(store, keys)).filter((result) => result.step === step);
}

async function resultsUnder(store: MetadataStore, keys: readonly string[]): Promise<readonly StepResult[]> {
  const rows = await store.get(resultsTable, keys);
  return rows.filter((row) => row !== null).map((row) => row.row as unknown as StepResult);
}
