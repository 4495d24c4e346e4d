import type { FailureCard } from '../contracts/failure-card.ts';
import type { Problem } from '../contracts/problem.ts';
import type { StepResult } from '../contracts/run.ts';
import type { RunView, StepView } from '../contracts/run-view.ts';
import { usualProfile } from '../contracts/usual-profile.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { failureClass } from './failure-class.ts';
import { failureSignature } from './failure-signature.ts';
import { failuresTable, type LatestKeys, latestTable, resultsTable } from './tables.ts';
import { userFrame } from './user-frame.ts';
import { changesBetween } from './why.ts';

/** Earlier failures that are counted; more are as many. */
const similarCounted = 1000;

/** A step that failed, and what is known of its last words. */
type LastLines = ReadonlyMap<string, FailureCard['lastLines']>;

/** Steps of a run that failed by themselves, in the order of the graph. */
export function failedSteps(view: RunView): readonly (StepView & { readonly problem: Problem })[] {
  return view.steps.flatMap((step) => (step.state === 'failed' && step.problem !== null ? [{ ...step, problem: step.problem }] : []));
}

/** A card for each of the steps given, which failed in this run. */
export async function failureCards(
  store: MetadataStore,
  view: RunView,
  steps: ReturnType<typeof failedSteps>,
  lastLines: LastLines,
): Promise<readonly FailureCard[]> {
  const [row] = steps.length === 0 ? [] : await store.get(latestTable, [view.pipeline]);
  const latest = (row?.row ?? {}) as LatestKeys;
  return Promise.all(
    steps.map(async (step): Promise<FailureCard> => {
      const { problem } = step;
      return {
        type: 'failure',
        run: view.run,
        step: step.address,
        attempts: step.attempts,
        class: failureClass(problem, step.reason),
        problem,
        frame: problem.stack === undefined ? null : userFrame(problem.stack),
        lastLines: lastLines.get(step.address) ?? [],
        since: await sinceGreen(store, step, latest[step.address]),
        similar: await similarFailures(store, view, step),
        resume: resumeCommand(view),
      };
    }),
  );
}

async function sinceGreen(store: MetadataStore, step: StepView, key: string | undefined): Promise<FailureCard['since']> {
  if (key === undefined || step.parts === null) return null;
  const [row] = await store.get(resultsTable, [key]);
  if (!row) return null;
  const { run, at, parts } = row.row as unknown as StepResult;
  return { run, at, changes: changesBetween(parts, step.parts) };
}

async function similarFailures(
  store: MetadataStore,
  { run, startedAt }: RunView,
  { step, problem }: StepView & { readonly problem: Problem },
): Promise<FailureCard['similar']> {
  const prefix = `${failureSignature(step, problem)}/`;
  const rows = await store.scan(failuresTable, prefix, '', similarCounted);
  const others = rows
    .map(({ key, row }) => ({ run: key.slice(prefix.length).split('/')[0]!, at: (row as { at: number }).at }))
    .filter((failure) => failure.run !== run && failure.at <= startedAt);
  return { count: others.length, last: others.toSorted((left, right) => right.at - left.at)[0] ?? null };
}

/** What finished is a hit, so the same command goes on from here. */
function resumeCommand({ pipeline, profile, holder, setup }: RunView): string {
  const command = holder.command.startsWith('twin run ') ? holder.command : `twin run ${pipeline}`;
  return [
    command,
    ...(profile === usualProfile ? [] : [`--profile ${profile}`]),
    ...(setup?.set ?? []).map((assignment) => `--set ${quoted(assignment)}`),
  ].join(' ');
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
