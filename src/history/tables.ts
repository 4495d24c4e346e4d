import type { RunRecord, RunSummary, StepResult } from '../contracts/run.ts';

/** The stream that holds the truth about a run. */
export function runStream(run: string): string {
  return `run/${run}`;
}

/** Index of runs by id: RunSummary. Derived. */
export const runsTable = 'runs';
/** Runs that have begun and not finished, by id. Derived. */
export const openRunsTable = 'open-runs';
/** Results by key: StepResult. Derived. */
export const resultsTable = 'step-results';
/** `<artifact digest>/<step key>`: which steps made an artifact. Derived. */
export const producersTable = 'producers';
/** The key of the newest result at each address, by pipeline: LatestKeys, one row as most of them are read together. Derived. */
export const latestTable = 'latest-results';
/** Commits of effects by target and step: itself the truth. */
export const effectsTable = 'effects';
/** Who holds which run or target, until when: itself the truth. */
export const leasesTable = 'leases';

/** Keys of the newest results of a pipeline's steps by address. */
export type LatestKeys = Readonly<Record<string, string>>;

/** The key under which a step stands as a maker of an artifact. */
export function producerKey(digest: string, key: string): string {
  return `${digest}/${key}`;
}

/** The row of the index of runs while a run goes on. */
export function startedSummary(started: RunRecord & { readonly type: 'run-started' }): RunSummary {
  return {
    run: started.run,
    pipeline: started.pipeline,
    status: 'running',
    reason: null,
    startedAt: started.at,
    durationMs: null,
    steps: null,
    holder: started.holder,
  };
}

/** The newest results of a pipeline after what these records tell; the given object itself where they change nothing. */
export function latestAfter(before: LatestKeys, records: readonly RunRecord[]): LatestKeys {
  const changed: Record<string, string> = {};
  for (const record of records) {
    if (record.type !== 'step-finished' || record.key === null) continue;
    if (record.outcome !== 'succeeded' && record.outcome !== 'cached') continue;
    if (before[record.step] !== record.key) changed[record.step] = record.key;
  }
  return Object.keys(changed).length > 0 ? { ...before, ...changed } : before;
}

/** The result that a journal record tells of; null where the step made none itself. */
export function resultOf(
  run: string,
  steps: ReadonlyMap<string, { readonly step: string }>,
  record: RunRecord & { readonly type: 'step-finished' },
): StepResult | null {
  if (record.outcome !== 'succeeded' || record.key === null || record.parts === null) return null;
  return {
    key: record.key,
    step: steps.get(record.step)!.step,
    address: record.step,
    run,
    parts: record.parts,
    artifacts: record.artifacts,
    counts: record.counts,
    durationMs: record.durationMs,
    at: record.at,
  };
}
