import type { RunOptions } from '../engine/run-options.ts';

/** Flags that say which steps a run is about. */
export interface SliceFlags {
  readonly from?: string;
  readonly to?: string;
  readonly only?: string;
  readonly force?: readonly string[];
}

/** The flags as the engine takes them. */
export function sliceOptions({ from, to, only, force = [] }: SliceFlags): RunOptions {
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }), ...(only !== undefined && { only }), force };
}
