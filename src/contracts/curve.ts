/** A metric over its steps, down-sampled for looking at: each bucket holds what many points came to. */
export interface Curve {
  readonly name: string;
  /** Points that were recorded. */
  readonly points: number;
  /** Points that are no finite number, and are in no bucket. */
  readonly nonFinite: number;
  readonly last: { readonly step: number; readonly value: number } | null;
  /** Over all finite points; null where there is none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly buckets: readonly CurveBucket[];
}

/** Points next to each other: between which steps, and between which values. */
export interface CurveBucket {
  readonly from: number;
  readonly to: number;
  readonly min: number;
  readonly max: number;
  /** The last finite value. */
  readonly last: number;
}
