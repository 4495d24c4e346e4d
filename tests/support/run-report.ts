import type { Curve } from '../../src/contracts/curve.ts';
import type { RunReport, TimelineSpan } from '../../src/contracts/run-report.ts';
import type { StepView } from '../../src/contracts/run-view.ts';
import { countSteps } from '../../src/history/fold.ts';

/** A step of a report as a test wants it. */
export function stepView(address: string, more: Partial<StepView> = {}): StepView {
  return {
    address,
    step: address.slice(address.lastIndexOf('.') + 1),
    kind: 'step',
    summary: 'Do what it does',
    inputs: {},
    place: 'pipelines/test.ts:7',
    state: 'succeeded',
    reason: null,
    attempts: 1,
    key: 'a'.repeat(64),
    artifacts: {},
    counts: {},
    durationMs: 1200,
    problem: null,
    cause: null,
    parts: null,
    ...more,
  };
}

/** The report of a run with these steps. */
export function runReport(
  steps: readonly StepView[],
  more: Partial<RunReport> & { readonly status?: RunReport['view']['status'] } = {},
): RunReport {
  const { status = 'succeeded', ...rest } = more;
  let at = 0;
  const timeline = new Map(
    steps
      .filter(({ state }) => state === 'succeeded' || state === 'failed')
      .map(({ address, durationMs, state }): [string, readonly TimelineSpan[]] => {
        const from = at;
        at += durationMs ?? 0;
        return [address, [{ kind: state === 'failed' ? 'failed' : 'working', from, to: at, attempt: 1 }]];
      }),
  );
  return {
    view: {
      run: '20260301-040506-mill',
      pipeline: 'test',
      profile: 'embedded',
      status,
      reason: null,
      startedAt: Date.parse('2026-03-01T04:05:06Z'),
      durationMs: at,
      holder: { host: 'mill', bootId: 'b', pidNamespace: 'n', pid: 1, start: '1', command: 'twin run test' },
      origin: null,
      setup: null,
      counts: countSteps(steps.map(({ state }) => state)),
      steps,
    },
    failures: [],
    timeline,
    why: new Map(),
    madeBy: new Map(),
    lines: new Map(),
    curves: [],
    environment: [{ name: 'Node', value: 'v26' }],
    at: Date.parse('2026-03-01T05:00:00Z'),
    ...rest,
  };
}

/** A curve that falls, with noise around it. */
export function fallingCurve(name: string, count = 200): Curve {
  const buckets = Array.from({ length: count }, (_, at) => {
    const value = 4 * Math.exp(-at / (count / 4)) + 0.5 + 0.15 * Math.sin(at * 1.7);
    return { from: at * 10, to: at * 10 + 9, min: value - 0.2, max: value + 0.2, last: value };
  });
  return { name, points: count * 10, nonFinite: 0, last: { step: count * 10, value: 0.6 }, min: 0.2, max: 4.7, buckets };
}
