import type { WatchStatus } from '../../src/contracts/watch.ts';

/** Where a watch stands in a test. */
export function exampleWatchStatus(change: Partial<WatchStatus> = {}): WatchStatus {
  return {
    type: 'watch-status',
    index: 'documents',
    state: 'in-step',
    settled: 12,
    perSecond: 3,
    unsettled: 4,
    deadLetters: 1,
    pointsWritten: 20,
    pointsRemoved: 2,
    embeddingsMade: 18,
    lagMs: 0,
    windowUsed: 0,
    alarm: false,
    problem: null,
    ...change,
  };
}
