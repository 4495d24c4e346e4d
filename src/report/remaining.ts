/** What is known of a step that runs. */
export interface RunningPace {
  readonly startedAt: number;
  readonly progress: { readonly remainingMs: number | null } | null;
}

/** Milliseconds that a run may still take at most: what its own progress tells of a step that runs, else what earlier runs took; null where nothing tells. */
export function remainingMs(
  expectedMs: ReadonlyMap<string, number>,
  running: ReadonlyMap<string, RunningPace>,
  finished: ReadonlySet<string>,
  now: number,
): number | null {
  let sum = 0;
  let told = false;
  for (const [step, { startedAt, progress }] of running) {
    const expected = expectedMs.get(step);
    const left = progress?.remainingMs ?? (expected === undefined ? null : Math.max(0, expected - (now - startedAt)));
    if (left === null) continue;
    told = true;
    sum += left;
  }
  for (const [step, expected] of expectedMs) {
    if (running.has(step) || finished.has(step)) continue;
    told = true;
    sum += expected;
  }
  return told ? sum : null;
}
