import type { MissReason } from '../contracts/plan.ts';
import type { StepResult } from '../contracts/run.ts';
import type { RunView, StepView } from '../contracts/run-view.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { foldRun } from './fold.ts';
import { listRuns, readRun } from './runs.ts';
import { resultsTable } from './tables.ts';
import { changesBetween } from './why.ts';

/** Runs of a pipeline among which the one before is looked for. */
const looked = 200;
const resultsAtOnce = 500;

/** Why the steps of a run that worked did so, by address: what decided it, or what differs from the run of the pipeline before. */
export async function ranBecause(store: MetadataStore, view: RunView): Promise<ReadonlyMap<string, MissReason>> {
  const before = await runBefore(store, view);
  const earlier = new Map((before?.steps ?? []).flatMap((step) => (step.key === null ? [] : [[step.address, step.key] as const])));
  const worked = view.steps.filter(({ state, parts }) => (state === 'succeeded' || state === 'failed') && parts !== null);
  const results = await resultsOf(
    store,
    worked.flatMap(({ address, cause }) => (cause === null ? (earlier.get(address) ?? []) : [])),
  );
  const why = new Map<string, MissReason>();
  for (const step of worked) {
    const reason = reasonOf(step, before, results.get(earlier.get(step.address) ?? ''));
    if (reason !== null) why.set(step.address, reason);
  }
  return why;
}

/** The runs that made the results which the cached steps of a run took over, by address. */
export async function makersOf(store: MetadataStore, view: RunView): Promise<ReadonlyMap<string, string>> {
  const cached = view.steps.filter(({ state, key }) => state === 'cached' && key !== null);
  const results = await resultsOf(
    store,
    cached.map(({ key }) => key!),
  );
  return new Map(cached.flatMap(({ address, key }) => (results.has(key!) ? [[address, results.get(key!)!.run] as const] : [])));
}

function reasonOf({ address, cause, parts }: StepView, before: RunView | null, earlier: StepResult | undefined): MissReason | null {
  switch (cause?.kind) {
    case 'forced':
    case 'artifact-missing':
    case 'state-changed':
    case 'interrupted':
      return cause;
    case undefined:
      break;
  }
  if (earlier !== undefined && before !== null) return { kind: 'changed', run: before.run, changes: changesBetween(earlier.parts, parts!) };
  return before === null || !before.steps.some((step) => step.address === address) ? { kind: 'first-time' } : null;
}

async function runBefore(store: MetadataStore, view: RunView): Promise<RunView | null> {
  const runs = await listRuns(store, { pipeline: view.pipeline, limit: looked });
  const earlier = runs.filter(({ run, startedAt }) => run !== view.run && startedAt <= view.startedAt);
  const before = earlier.toSorted((left, right) => right.startedAt - left.startedAt)[0];
  return before === undefined ? null : foldRun(await readRun(store, before.run));
}

async function resultsOf(store: MetadataStore, keys: readonly string[]): Promise<ReadonlyMap<string, StepResult>> {
  const distinct = [...new Set(keys)];
  const found = new Map<string, StepResult>();
  for (let start = 0; start < distinct.length; start += resultsAtOnce) {
    for (const row of await store.get(resultsTable, distinct.slice(start, start + resultsAtOnce))) {
      if (row) found.set(row.key, row.row as unknown as StepResult);
    }
  }
  return found;
}
