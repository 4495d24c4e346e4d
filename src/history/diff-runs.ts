import type { RunDiff, ComparedRun, StepDifference } from '../contracts/run-diff.ts';
import type { RunView, StepView } from '../contracts/run-view.ts';
import { compareArtifacts } from './compare-artifacts.ts';
import { type ExplainSources, explainChanges } from './explain.ts';
import { originIn } from './explain-step.ts';
import { memberChanges } from './members.ts';
import { setupChanges } from './setup-changes.ts';

/** The last values of the metrics of a run's jobs, by step. */
export type JobMetrics = ReadonlyMap<string, Readonly<Record<string, number | string>>>;

/** Two runs to compare, with what their jobs measured. */
export interface DiffRequest {
  readonly before: RunView;
  readonly after: RunView;
  readonly metrics: { readonly before: JobMetrics; readonly after: JobMetrics };
}

/** In what two runs differ, step by step: setup, outputs, counts, metrics and time. */
export async function diffRuns(
  { metadata, artifacts }: Pick<ExplainSources, 'metadata' | 'artifacts'>,
  { before, after, metrics }: DiffRequest,
): Promise<RunDiff> {
  const setups = new Map(
    before.setup && after.setup
      ? setupChanges({ setup: before.setup, steps: before.steps }, { setup: after.setup, steps: after.steps }).map((one) => [
          one.address,
          one.changes,
        ])
      : [],
  );
  const sources: ExplainSources = {
    metadata,
    artifacts,
    steps: after.steps,
    origins: (address) => ({
      before: before.setup && originIn(before.setup.origins, address),
      after: after.setup && originIn(after.setup.origins, address),
    }),
  };
  const [earlier, later] = [byAddress(before), byAddress(after)];
  const steps: StepDifference[] = [];
  let same = 0;
  for (const step of new Set([...later.keys(), ...earlier.keys()])) {
    const [was, is] = [earlier.get(step), later.get(step)];
    const difference: StepDifference = {
      step,
      state: { before: was?.state ?? null, after: is?.state ?? null },
      durationMs: { before: workedMs(was), after: workedMs(is) },
      setup: await explainChanges(sources, step, setups.get(step) ?? []),
      outputs: await outputsOf(was, is, artifacts),
      counts: memberChanges(was?.counts ?? {}, is?.counts ?? {}),
      metrics: memberChanges(metrics.before.get(step) ?? {}, metrics.after.get(step) ?? {}),
    };
    if (differs(difference)) steps.push(difference);
    else same++;
  }
  return { type: 'runs-diff', before: comparedRun(before), after: comparedRun(after), steps, same };
}

function byAddress({ steps }: RunView): ReadonlyMap<string, StepView> {
  return new Map(steps.map((step) => [step.address, step]));
}

function comparedRun({ run, pipeline, profile, status, startedAt, durationMs }: RunView): ComparedRun {
  return { run, pipeline, profile, status, startedAt, durationMs };
}

/** Only what a step did itself took its time. */
function workedMs(step: StepView | undefined): number | null {
  return step?.state === 'succeeded' || step?.state === 'failed' ? step.durationMs : null;
}

async function outputsOf(
  before: StepView | undefined,
  after: StepView | undefined,
  store: ExplainSources['artifacts'],
): Promise<StepDifference['outputs']> {
  const outputs: { name: string; difference: StepDifference['outputs'][number]['difference'] }[] = [];
  if (!before || !after) return outputs;
  for (const [name, reference] of Object.entries(after.artifacts)) {
    const earlier = before.artifacts[name];
    if (earlier && earlier.digest !== reference.digest)
      outputs.push({ name, difference: await compareArtifacts(earlier, reference, store) });
  }
  return outputs;
}

/** A step that was only taken from the cache in one of the two is the same. */
function differs({ state, setup, outputs, counts, metrics }: StepDifference): boolean {
  const ended = (one: StepView['state'] | null) => (one === 'cached' ? 'succeeded' : one);
  return ended(state.before) !== ended(state.after) || setup.length > 0 || outputs.length > 0 || counts.length > 0 || metrics.length > 0;
}
