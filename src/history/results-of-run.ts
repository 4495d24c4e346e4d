import type { StepResult } from '../contracts/run.ts';
import type { RunView } from '../contracts/run-view.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { resultsTable } from './tables.ts';

/** What the steps of a run made or took from the cache, by address: with the artifacts that its own journal names. */
export async function resultsOfRun(store: MetadataStore, { steps }: RunView): Promise<ReadonlyMap<string, StepResult>> {
  const finished = steps.filter(({ state, key }) => key !== null && (state === 'succeeded' || state === 'cached'));
  const rows = await store.get(
    resultsTable,
    finished.map(({ key }) => key!),
  );
  const results = new Map<string, StepResult>();
  for (const [index, row] of rows.entries()) {
    const { address, artifacts, counts } = finished[index]!;
    // An effect may have made something else under the same key since.
    if (row) results.set(address, { ...(row.row as unknown as StepResult), address, artifacts, counts });
  }
  return results;
}
