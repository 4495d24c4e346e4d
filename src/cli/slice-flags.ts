import type { RunOptions } from '../engine/run-options.ts';

/** Flags that say which steps a run is about. */
export interface SliceFlags {
  readonly from?: string;
  readonly to?: string;
  readonly only?: readonly string[];
  readonly tag?: readonly string[];
  readonly force?: readonly string[];
}

/** The flags as the engine takes them. */
export function sliceOptions({ from, to, only = [], tag = [], force = [] }: SliceFlags): RunOptions {
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }), only, tags: tag, force };
}
