import type { CommandOutcome } from '../../contracts/command-results.ts';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import { watchChanges } from '../../index-sync/watch.ts';
import { openWatchEndpoint, type WatchEndpoint } from '../../server/watch-endpoint.ts';
import { changeWorkers, sharesChanges } from '../change-batches.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { holdIndex, openIndexSync } from '../index-sync.ts';

/** Options of `twin watch`. */
export interface WatchFlags {
  readonly set?: readonly string[];
  /** False for --no-wait. */
  readonly wait?: boolean;
  readonly metricsPort?: string;
  readonly metricsHost?: string;
}

/** What is under way when twin is asked to stop may take so long; then it is done again the next time. */
const finishWithinMs = 15_000;

/** `twin watch <pipeline>`: follows the changes of the documents until it is asked to stop, which is how it ends: exit 0. */
export async function watch(context: CommandContext, flags: WatchFlags, pipeline: string): Promise<CommandOutcome> {
  const began = performance.now();
  const endpoint = await openEndpoint(context, flags);
  if (endpoint !== null && 'reason' in endpoint) return refused([endpoint]);
  const hurry = new AbortController();
  const opened = await openIndexSync(context, pipeline, { set: flags.set ?? [], signal: hurry.signal });
  if (!opened.ok) return refused(opened.error);
  const { options, ports, index, pool, session } = opened.value;
  const { wired, config } = session;
  const workers = sharesChanges(config)
    ? changeWorkers(await wired.ports.open('workQueue'), await wired.journal(), pool, pipeline)
    : undefined;
  const lease = await holdIndex(context, opened.value, flags.wait === false);
  const stop = AbortSignal.any([context.signal, lease.lost]);
  stop.addEventListener('abort', () => setTimeout(() => hurry.abort(), finishWithinMs).unref());
  try {
    const { generation, settled, deadLetters, documents, points } = await watchChanges(
      {
        ...options,
        ...(workers && { workers }),
        stop,
        status(status) {
          endpoint?.status(status);
          context.status(status);
        },
        pulse: () => endpoint?.pulse(),
      },
      ports,
    );
    if (lease.lost.aborted) throw lease.lost.reason;
    const durationMs = Math.round(performance.now() - began);
    const result = { type: 'watch-finished' as const, index, generation, settled, deadLetters, documents, points, durationMs };
    return { ...done(result), stopsWhenAsked: true };
  } catch (error) {
    // Asked to stop while a server was away, or while a batch took too long: everything that was settled is noted.
    if (context.signal.aborted && !(error instanceof ProblemError && error.problem.exit === 4))
      return { ...done({ type: 'none' }), stopsWhenAsked: true };
    throw error;
  }
}

/** Where metrics and health are served, if anybody asked for that; what is wrong with the flags otherwise. */
async function openEndpoint(context: CommandContext, flags: WatchFlags): Promise<WatchEndpoint | Problem | null> {
  const { metricsPort, metricsHost = '127.0.0.1' } = flags;
  if (metricsPort === undefined) {
    if (flags.metricsHost === undefined) return null;
    const hint = 'For example: --metrics-port 9464';
    return { reason: 'missing-flag', message: '--metrics-host says where, and no port is named', hint, exit: 2 };
  }
  const port = metricsPort.trim() === '' ? NaN : Number(metricsPort);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    return {
      reason: 'invalid-flag',
      message: '--metrics-port has a wrong value',
      expected: 'a port, or 0 for one that is free',
      found: metricsPort,
      hint: 'For example: --metrics-port 9464',
      exit: 2,
    };
  }
  const endpoint = await openWatchEndpoint({ host: metricsHost, port });
  context.onEnd(() => endpoint.close());
  context.progress(`Metrics at ${endpoint.url}/metrics, health at ${endpoint.url}/livez and /readyz`);
  return endpoint;
}
