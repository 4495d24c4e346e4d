import type { JobLine } from './command-results.ts';

/** A metric of a job, as far as it was recorded; numbers that are none are left out. */
export interface JobMetric {
  readonly name: string;
  readonly points: number;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  /** At most a few hundred of its values, evenly over its steps. */
  readonly series: readonly number[];
}

/** All that is known of a job, over its attempts. */
export interface JobView {
  readonly line: JobLine;
  readonly params: Readonly<Record<string, unknown>>;
  readonly adaptations: readonly string[];
  readonly device: string | null;
  /** GPUs that its last attempt leased. */
  readonly devices: readonly { readonly uuid: string; readonly name: string }[];
  readonly startedAt: string | null;
  /** From the first sign to the last, over all attempts. */
  readonly seconds: number;
  readonly phase: string | null;
  readonly progress: { readonly done: number; readonly total: number | null; readonly unit: string } | null;
  /** Of what is left of the current phase; null where nothing is known. */
  readonly etaSeconds: number | null;
  /** What two steps on the longest batch had shown. */
  readonly estimate: { readonly secondsPerStep: number; readonly steps: number; readonly peakBytes: number } | null;
  readonly metrics: readonly JobMetric[];
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
  readonly checkpoint: { readonly step: number; readonly seconds: number } | null;
  readonly residentBytes: number | null;
  readonly usage: { readonly seconds: number; readonly cpuSeconds: number; readonly peakResidentBytes: number } | null;
  readonly error: { readonly reason: string; readonly message: string; readonly hint: string | null } | null;
  /** What it has cost so far, where an hour has a price. */
  readonly cost: number | null;
}
