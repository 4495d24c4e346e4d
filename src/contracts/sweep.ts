import { z } from 'zod';
import type { Json } from './digest.ts';
import type { Curve } from './curve.ts';
import type { RunStatus } from './run.ts';

/** Which variant of which sweep a run is. */
export const SweepPlace = z.strictObject({
  sweep: z.string(),
  /** From 1 to `variants`. */
  variant: z.int().positive(),
  variants: z.int().positive(),
  /** The swept params of this variant by address. */
  values: z.record(z.string(), z.json()).readonly(),
});
export type SweepPlace = z.output<typeof SweepPlace>;

/** What a sweep will do, told before its first run begins. */
export interface SweepPlanned {
  readonly type: 'sweep-planned';
  readonly sweep: string;
  readonly pipeline: string;
  readonly swept: readonly { readonly address: string; readonly values: readonly Json[] }[];
  readonly variants: number;
  /** Steps that are done once, and steps that each variant does. */
  readonly steps: { readonly shared: number; readonly each: number };
  /** By earlier runs, at most, in milliseconds; steps of which no earlier run tells count as nothing. */
  readonly mostMs: number;
  /** Steps of which no earlier run tells how long they take. */
  readonly unmeasured: number;
}

/** The job by which variants are compared: the last swept job step, else the first that follows a swept step. */
export interface SweepJob {
  readonly step: string;
  readonly job: string;
  /** From its first sign to its last, over all attempts. */
  readonly seconds: number;
  /** The last value of each metric, and the numbers that its summary holds. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** What became of one variant; `not-run` where the sweep was stopped before. */
export interface SweepVariant {
  readonly type: 'sweep-variant';
  readonly variant: number;
  readonly values: Readonly<Record<string, Json>>;
  readonly run: string | null;
  readonly status: RunStatus | 'not-run';
  /** The first thing that went wrong. */
  readonly problem: string | null;
  readonly durationMs: number;
  /** Null where the sweep is about no job, or the variant did not come so far. */
  readonly job: SweepJob | null;
}

/** A sweep that has ended. */
export interface SweepFinished {
  readonly type: 'sweep-finished';
  readonly sweep: string;
  readonly pipeline: string;
  readonly variants: readonly SweepVariant[];
  readonly durationMs: number;
  /** The page that compares the variants; null where it could not be written. */
  readonly report: string | null;
}

/** What the page of a sweep shows. */
export interface SweepReport extends SweepFinished {
  /** The loss of each variant's job, by the number of the variant. */
  readonly curves: ReadonlyMap<number, Curve>;
  readonly at: number;
}
