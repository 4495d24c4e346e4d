import type { Attempt } from './run-context.ts';

/** Progress is told at most so often. */
const progressEveryMs = 100;

/** The counters, the log and the progress of one attempt. */
export interface StepTools {
  readonly counts: Record<string, number>;
  count(name: string, amount?: number): void;
  log(message: string): void;
  progress(done: number, total?: number, unit?: string): void;
}

/** What an attempt tells the outside while it works. */
export function stepTools({ context: { emit, run }, prepared, beat }: Attempt): StepTools {
  const step = prepared.node.address;
  const counts: Record<string, number> = {};
  const startedAt = performance.now();
  let toldAt = -Infinity;
  return {
    counts,
    count(name, amount = 1) {
      beat();
      counts[name] = (counts[name] ?? 0) + amount;
    },
    log(message) {
      beat();
      emit({ type: 'step-log', run, step, message });
    },
    progress(done, total, unit) {
      beat();
      const now = performance.now();
      if (now - toldAt < progressEveryMs && done !== total) return;
      toldAt = now;
      const remainingMs = total === undefined || done <= 0 ? null : Math.round(((now - startedAt) / done) * (total - done));
      emit({ type: 'step-progress', run, step, done, total: total ?? null, remainingMs, unit: unit ?? null });
    },
  };
}
