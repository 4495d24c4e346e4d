import { nearName } from '../contracts/near-name.ts';
import type { Result } from '../contracts/problem.ts';
import type { RunRecord, RunSummary } from '../contracts/run.ts';
import type { RunView } from '../contracts/run-view.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { foldRun } from './fold.ts';
import { runStream, runsTable } from './tables.ts';

/** Rows that are read at once. */
const pageSize = 500;

/** The newest runs, newest first: all of them, those of one pipeline, those before a run. */
export async function listRuns(
  store: MetadataStore,
  { limit = 20, ...wanted }: { readonly limit?: number; readonly pipeline?: string; readonly before?: string } = {},
): Promise<readonly RunSummary[]> {
  const runs: RunSummary[] = [];
  for await (const run of newestRuns(store, { ...wanted, pageSize: Math.min(limit, pageSize) })) {
    if (runs.length >= limit) break;
    runs.push(run);
  }
  return runs;
}

/** Runs from the newest on, read as they are asked for: an id begins with the time of its run. */
export async function* newestRuns(
  store: MetadataStore,
  options: { readonly pipeline?: string | undefined; readonly before?: string | undefined; readonly pageSize?: number } = {},
): AsyncGenerator<RunSummary> {
  const { pipeline, before = '', pageSize: rows = 50 } = options;
  for (let after = before; ;) {
    const page = await store.scan(runsTable, '', after, rows, 'descending');
    for (const { row } of page) {
      const run = row as unknown as RunSummary;
      if (pipeline === undefined || run.pipeline === pipeline) yield run;
    }
    if (page.length < rows) return;
    after = page.at(-1)!.key;
  }
}

/** A run with all its steps; `latest` names the newest, and so does an id's unambiguous beginning or end. */
export async function showRun(store: MetadataStore, id: string): Promise<Result<RunView>> {
  const exact = foldRun(await readRun(store, id));
  if (exact) return { ok: true, value: exact };
  const runs = (await listRuns(store, { limit: id === 'latest' ? 1 : Infinity })).map((run) => run.run);
  const found = id === 'latest' ? runs.slice(0, 1) : runs.filter((run) => run.startsWith(id) || run.endsWith(id));
  const view = found.length === 1 ? foldRun(await readRun(store, found[0]!)) : null;
  if (view) return { ok: true, value: view };
  const near = nearName(id, runs);
  return {
    ok: false,
    error: {
      reason: found.length > 1 ? 'ambiguous-run' : 'unknown-run',
      message: found.length > 1 ? `${found.length} runs are called ${id}` : `There is no run ${id}`,
      found: found.length > 1 ? found.slice(0, 5).join(', ') : id,
      hint: near && found.length === 0 ? `Did you mean ${near}?` : 'twin runs list shows the ids',
      exit: 2,
    },
  };
}

/** The records of a run's stream. */
export async function readRun(store: MetadataStore, run: string): Promise<readonly RunRecord[]> {
  const records = await store.read(runStream(run), 0);
  return records.map((record) => record.data as unknown as RunRecord);
}
