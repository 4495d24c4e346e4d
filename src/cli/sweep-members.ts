import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunView, StepView } from '../contracts/run-view.ts';
import type { SweepPlace } from '../contracts/sweep.ts';
import { foldRun } from '../history/fold.ts';
import { newestRuns, readRun } from '../history/runs.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** Runs that are looked through for those of a sweep. */
const runsAtMost = 2000;

/** The job of each variant of a sweep that came to one, in the order of the variants: of the last swept job step, else of the first that differs. */
export async function jobsOfSweep(journal: MetadataStore, jobs: string, sweep: string): Promise<readonly string[]> {
  const members = await membersOf(journal, sweep);
  const [first] = members;
  if (first === undefined) return [];
  const candidates = first.view.steps.filter(({ kind }) => kind === 'job').map(({ address }) => address);
  const swept = Object.keys(first.place.values);
  const step =
    candidates.findLast((address) => swept.some((one) => one.startsWith(`${address}.`))) ??
    candidates.find((address) => new Set(members.map(({ view }) => stepOf(view, address)?.key)).size > 1);
  return members.flatMap(({ view }) => {
    const key = step === undefined ? null : (stepOf(view, step)?.key ?? null);
    // A forced step has a job of its own.
    const job = key === null ? undefined : [`${key}-${view.run}`, key].find((id) => existsSync(join(jobs, id)));
    return job === undefined ? [] : [job];
  });
}

async function membersOf(
  journal: MetadataStore,
  sweep: string,
): Promise<readonly { readonly place: SweepPlace; readonly view: RunView }[]> {
  const members: { readonly place: SweepPlace; readonly view: RunView }[] = [];
  let looked = 0;
  for await (const { run } of newestRuns(journal)) {
    if (++looked > runsAtMost) break;
    const records = await readRun(journal, run);
    const [started] = records;
    const place = started?.type === 'run-started' ? started.setup?.sweep : undefined;
    const view = place?.sweep === sweep ? foldRun(records) : null;
    if (place && view) members.push({ place, view });
    if (members.length > 0 && members.length === members[0]!.place.variants) break;
  }
  return members.toSorted((left, right) => left.place.variant - right.place.variant);
}

function stepOf(view: RunView, address: string): StepView | undefined {
  return view.steps.find((step) => step.address === address);
}
