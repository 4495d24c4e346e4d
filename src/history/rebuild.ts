import type { MetadataStore } from '../ports/metadata-store.ts';
import { indexRun } from './index-run.ts';
import { readRun } from './runs.ts';
import { type LatestKeys, derivedTables, latestTable } from './tables.ts';

/** Streams that are looked up at once. */
const pageSize = 500;

/** Empties the tables that are derived from the streams of runs and fills them again by replay, oldest run first. */
export async function rebuildIndexes(store: MetadataStore): Promise<{ readonly runs: number }> {
  for (const table of derivedTables) await store.clear(table);
  const latest = new Map<string, LatestKeys>();
  let runs = 0;
  for (let after = ''; ;) {
    const names = await store.streams('run/', after, pageSize);
    for (const name of names) {
      const run = name.slice('run/'.length);
      const records = await readRun(store, run);
      const pipeline = records[0]?.type === 'run-started' ? records[0].pipeline : '';
      for (const [table, writes] of indexRun(run, latest.get(pipeline) ?? {})(records)) {
        await store.putMany(table, writes);
        if (table === latestTable) latest.set(pipeline, writes.at(-1)!.row as LatestKeys);
      }
      runs++;
    }
    if (names.length < pageSize) return { runs };
    after = names.at(-1)!;
  }
}
