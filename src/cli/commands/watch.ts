import type { CommandOutcome } from '../../contracts/command-results.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { watchChanges } from '../../index-sync/watch.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { holdIndex, openIndexSync } from '../index-sync.ts';

/** Options of `twin watch`. */
export interface WatchFlags {
  readonly set?: readonly string[];
  /** False for --no-wait. */
  readonly wait?: boolean;
}

/** What is under way when twin is asked to stop may take so long; then it is done again the next time. */
const finishWithinMs = 15_000;

/** `twin watch <pipeline>`: follows the changes of the documents until it is asked to stop. */
export async function watch(context: CommandContext, { set = [], wait = true }: WatchFlags, pipeline: string): Promise<CommandOutcome> {
  const began = performance.now();
  const hurry = new AbortController();
  const opened = await openIndexSync(context, pipeline, { set, signal: hurry.signal });
  if (!opened.ok) return refused(opened.error);
  const { options, ports, index } = opened.value;
  const lease = await holdIndex(context, opened.value, !wait);
  const stop = AbortSignal.any([context.signal, lease.lost]);
  stop.addEventListener('abort', () => setTimeout(() => hurry.abort(), finishWithinMs).unref());
  try {
    const { generation, settled, deadLetters, documents, points } = await watchChanges(
      { ...options, stop, status: (status) => context.status(status) },
      ports,
    );
    if (lease.lost.aborted) throw lease.lost.reason;
    const durationMs = Math.round(performance.now() - began);
    return done({ type: 'watch-finished', index, generation, settled, deadLetters, documents, points, durationMs });
  } catch (error) {
    // Asked to stop while a server was away, or while a batch took too long: everything that was settled is noted.
    if (context.signal.aborted && !(error instanceof ProblemError && error.problem.exit === 4)) return done({ type: 'none' });
    throw error;
  }
}
