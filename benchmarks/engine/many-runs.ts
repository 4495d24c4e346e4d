import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import type { RunSummary } from '../../src/contracts/run.ts';
import { runsTable } from '../../src/history/tables.ts';
import { currentHolder } from '../../src/workers/holder.ts';

/** Makes a state folder in which so many runs are stored. */
export async function storeRuns(state: string, count: number): Promise<void> {
  mkdirSync(state, { recursive: true });
  const store = openSqliteMetadataStore({ file: join(state, 'state.db') });
  const holder = currentHolder('benchmark');
  const begin = Date.UTC(2026, 0, 1);
  for (let from = 0; from < count; from += 500) {
    const writes = Array.from({ length: Math.min(500, count - from) }, (_, at) => {
      const startedAt = begin + (from + at) * 60_000;
      const time = new Date(startedAt).toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
      const run: RunSummary = {
        run: `${time}-k3f9`,
        pipeline: 'nightly',
        status: 'succeeded',
        reason: null,
        startedAt,
        durationMs: 1000,
        steps: { succeeded: 3, cached: 20, failed: 0, skipped: 0, cancelled: 0 },
        holder,
      };
      return { key: run.run, expectedRevision: null, row: run as never };
    });
    await store.putMany(runsTable, writes);
  }
  await store.close();
}
