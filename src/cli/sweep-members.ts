import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunView, StepView } from '../contracts/run-view.ts';
import type { SweepPlace } from '../contracts/sweep.ts';
import { foldRun } from '../history/fold.ts';
import { newestRuns, readRun } from '../history/runs.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** Runs that are looked through for those of a sweep. */
const runsAtMost = 2000;

/** The job of each variant of a sweep that came to one, in the order of the variants. */
export async function jobsOfSweep(journal: MetadataStore, jobs: string, sweep: string): Promise<readonly string[]> {
  const members = await membersOf(journal, sweep);
  const [first] = members;
  if (first === undefined) return [];
  const differs = (address: string): boolean => new Set(members.map(({ view }) => stepOf(view, address)?.key)).size > 1;
  const step = comparedStep(first.view.steps, Object.keys(first.place.values), differs);
  return members.flatMap(({ view }) => {
    const own = step === null ? undefined : stepOf(view, step);
    return (own && jobOf(jobs, view.run, own)) ?? [];
  });
}

/** The job step by which variants are compared: the last swept one, else the first that differs between them; null where there is none. */
export function comparedStep(
  steps: readonly Pick<StepView, 'address' | 'kind'>[],
  swept: readonly string[],
  differs: (address: string) => boolean,
): string | null {
  const candidates = steps.filter(({ kind, address }) => kind === 'job' && differs(address));
  return (candidates.findLast(({ address }) => isSwept(address, swept)) ?? candidates[0])?.address ?? null;
}

/** Whether one of these params is the step's own; said of a loop, of each of its rounds. */
export function isSwept(address: string, swept: readonly string[]): boolean {
  const ofAllRounds = address.replaceAll(/#\d+/g, '');
  return swept.some((one) => one.startsWith(`${address}.`) || one.startsWith(`${ofAllRounds}.`));
}

/** The job that a step had in a run; null where nothing is left of it. */
export function jobOf(jobs: string, run: string, { key }: Pick<StepView, 'key'>): string | null {
  // A forced step has a job of its own.
  return key === null ? null : ([`${key}-${run}`, key].find((id) => existsSync(join(jobs, id))) ?? null);
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
