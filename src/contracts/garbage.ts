/** What is collected, by kind. */
export type GarbageKind = 'artifacts' | 'results' | 'row-cache' | 'expired-rows' | 'staging' | 'logs' | 'reports' | 'jobs';

/** How much of a kind was freed, or would be. */
export interface Freed {
  readonly kind: GarbageKind;
  readonly count: number;
  readonly bytes: number;
}

/** What `twin gc` did, or with `dryRun` would do. */
export interface GarbageCollected {
  readonly type: 'gc';
  readonly dryRun: boolean;
  readonly freed: readonly Freed[];
  readonly bytes: number;
  readonly kept: { readonly runs: number; readonly artifacts: number; readonly bytes: number };
  /** Content that nothing needs any more, but that these runs may have looked up before that was so: the next gc frees it. */
  readonly deferred: { readonly count: number; readonly bytes: number; readonly runs: readonly string[] };
  /** Names in twin's folders that twin does not give: they are left alone. */
  readonly foreign: readonly string[];
}
