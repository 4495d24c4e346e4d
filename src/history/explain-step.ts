import type { FingerprintParts, StepResult } from '../contracts/run.ts';
import type { RunView, StepView } from '../contracts/run-view.ts';
import type { ExplainedChange, StepExplanation } from '../contracts/why.ts';
import { earlierResults } from './earlier-results.ts';
import { type ExplainSources, explainChanges } from './explain.ts';
import { readRun } from './runs.ts';
import { foldRun } from './fold.ts';
import { resultsTable } from './tables.ts';
import { nearestResults } from './why.ts';

/** What is compared with what a step had: earlier results of the same step. */
export interface Comparison {
  readonly pipeline: string;
  readonly address: string;
  readonly parts: FingerprintParts;
  /** The run that is explained; absent for one that has not begun. */
  readonly run?: string;
  readonly key?: string;
}

/** What differs between a step's parts and the nearest earlier result; `against` is null where there is none. */
export async function compareWithEarlier(
  sources: ExplainSources,
  { pipeline, address, parts, run, key }: Comparison,
): Promise<Pick<StepExplanation, 'against' | 'changes'>> {
  const earlier = await earlierResults(sources.metadata, {
    pipeline,
    address,
    step: parts.step,
    ...(run !== undefined && { before: run }),
    ...(key !== undefined && { except: key }),
  });
  const explained = [];
  for (const { result, changes } of nearestResults(earlier, parts)) {
    const origins = await originsBetween(sources, result.run, run);
    const told = await explainChanges({ ...sources, ...(origins && { origins }) }, address, changes);
    explained.push({ against: { run: result.run, at: result.at }, changes: told });
  }
  // Of results that differ in as many parts, the one with the fewest reasons behind them.
  const nearest = explained.toSorted((left, right) => countRoots(left.changes) - countRoots(right.changes))[0];
  return nearest ?? { against: null, changes: [] };
}

/** Changes that no other change explains. */
function countRoots(changes: readonly ExplainedChange[]): number {
  return changes.reduce((sum, { cause, within }) => {
    const behind = [...(cause?.changes ?? []), ...within];
    return sum + (behind.length === 0 ? 1 : countRoots(behind));
  }, 0);
}

/** Says why a step of a run did what it did. */
export async function explainStep(sources: ExplainSources, view: RunView, step: StepView): Promise<StepExplanation> {
  const { address, state, reason, key, parts, cause } = step;
  const outcome = state === 'ready' || state === 'queued' ? 'pending' : state;
  const bare: StepExplanation = { step: address, outcome, why: { kind: 'ended', reason }, against: null, changes: [] };
  if (state === 'cached' && key !== null) {
    const result = await resultOf(sources, key);
    return result ? { ...bare, why: { kind: 'hit', run: result.run, at: result.at } } : bare;
  }
  if (parts === null) return cause ? { ...bare, why: cause } : bare;
  const compared = await compareWithEarlier(sources, { pipeline: view.pipeline, address, parts, run: view.run, ...(key && { key }) });
  return { ...bare, ...compared, why: cause ?? { kind: compared.against ? 'changed' : 'first-time' } };
}

/** Why the run that made a result did so; null where it made it in another run than its own, or its journal is gone. */
export async function explainMaking(
  sources: ExplainSources,
  { run, address }: Pick<StepResult, 'run' | 'address'>,
): Promise<StepExplanation | null> {
  const view = foldRun(await readRun(sources.metadata, run));
  const step = view?.steps.find((one) => one.address === address);
  if (!view || !step || step.parts === null) return null;
  return explainStep({ ...sources, steps: view.steps }, view, step);
}

/** The result under a key. */
export async function resultOf({ metadata }: ExplainSources, key: string): Promise<StepResult | null> {
  const [row] = await metadata.get(resultsTable, [key]);
  return row ? (row.row as unknown as StepResult) : null;
}

/** Where params were given in two runs; what is said about a run that has not begun is in the sources. */
async function originsBetween(
  sources: ExplainSources,
  before: string,
  after: string | undefined,
): Promise<ExplainSources['origins'] | null> {
  const of = async (run: string) => foldRun(await readRun(sources.metadata, run))?.setup?.origins ?? null;
  const then = await of(before);
  const now = after === undefined ? null : await of(after);
  return (address) => ({
    before: then && originIn(then, address),
    after: after === undefined ? (sources.origins?.(address).after ?? null) : now && originIn(now, address),
  });
}

/** The origin of a param, of what holds it or of what it holds; a param that nobody gave is a default. */
export function originIn(origins: Readonly<Record<string, string>>, address: string): string {
  for (let end = address.length; end > 0; end = address.lastIndexOf('.', end - 1)) {
    const origin = origins[address.slice(0, end)];
    if (origin !== undefined) return origin;
  }
  return 'default';
}
