import type { Problem } from '../contracts/problem.ts';
import type { RunRecord, StepCounts } from '../contracts/run.ts';
import type { OpenState, RunView, StepView } from '../contracts/run-view.ts';

/** What the records of a run's stream come to; null where there are none. */
export function foldRun(records: readonly RunRecord[]): RunView | null {
  const [started] = records;
  if (started?.type !== 'run-started') return null;
  const steps = new Map<string, StepView>();
  for (const step of started.steps) steps.set(step.address, { ...step, ...pending });
  let finished: (RunRecord & { readonly type: 'run-finished' }) | undefined;
  for (const record of records) {
    if (record.type === 'run-finished') finished = record;
    if (record.type === 'run-started' || record.type === 'run-finished') continue;
    const step = steps.get(record.step);
    if (!step) continue;
    if (record.type === 'step-queued') {
      steps.set(record.step, { ...step, state: 'queued', key: record.key });
    } else if (record.type === 'attempt-failed') {
      const { attempt, failure, problem } = record;
      steps.set(record.step, { ...step, retried: [...(step.retried ?? []), { attempt, failure, problem: problem as Problem }] });
    } else if (record.type === 'step-started') {
      steps.set(record.step, { ...step, state: 'running', attempts: record.attempt, key: record.key, cause: record.cause ?? step.cause });
    } else {
      const { outcome, reason, key, artifacts, counts, durationMs, problem, parts, checks } = record;
      steps.set(record.step, {
        ...step,
        state: outcome,
        reason,
        key,
        artifacts,
        counts,
        durationMs,
        problem: problem as Problem | null,
        parts,
        ...(checks && { checks }),
      });
    }
  }
  const views = finished ? [...steps.values()] : markReady(steps);
  return {
    run: started.run,
    pipeline: started.pipeline,
    profile: started.profile,
    status: finished?.status ?? 'running',
    reason: finished?.reason ?? null,
    startedAt: started.at,
    durationMs: finished?.durationMs ?? null,
    holder: started.holder,
    origin: started.origin,
    setup: started.setup ?? null,
    counts: finished?.steps ?? countSteps(views.map((step) => step.state)),
    steps: views,
  };
}

/** How many steps ended how; those that have not ended count nowhere. */
export function countSteps(states: Iterable<StepView['state']>): StepCounts {
  const counts = { succeeded: 0, cached: 0, failed: 0, skipped: 0, cancelled: 0 };
  for (const state of states) if (!isOpen(state)) counts[state]++;
  return counts;
}

/** Whether a step has not ended. */
export function isOpen(state: StepView['state']): state is OpenState {
  return state === 'pending' || state === 'ready' || state === 'queued' || state === 'running';
}

/** A pending step is ready once all that it waits for has ended. */
function markReady(steps: ReadonlyMap<string, StepView>): StepView[] {
  const waits = ({ inputs }: StepView): boolean =>
    Object.values(inputs).some((wire) => {
      const upstream = steps.get(wire) ?? steps.get(wire.slice(0, wire.lastIndexOf('.')));
      return upstream !== undefined && isOpen(upstream.state);
    });
  const ready = (step: StepView): StepView => ({ ...step, state: 'ready' });
  return [...steps.values()].map((step) => (step.state === 'pending' && !waits(step) ? ready(step) : step));
}

const pending = {
  state: 'pending',
  reason: null,
  attempts: 0,
  key: null,
  artifacts: {},
  counts: {},
  durationMs: null,
  problem: null,
  cause: null,
  parts: null,
} as const satisfies Partial<StepView>;
