import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Config } from '../config/schema.ts';
import type { WorkerRow } from '../contracts/attempt.ts';

/** What the thread that keeps a worker's lease is given. */
export interface HeartbeatData {
  readonly id: string;
  readonly row: WorkerRow;
  readonly config: Config;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What that thread is told. */
export type HeartbeatOrder = { readonly type: 'holds'; readonly items: readonly string[] } | { readonly type: 'stop' };

/** What that thread says. */
export type HeartbeatMessage =
  | { readonly type: 'alive' }
  | { readonly type: 'lost' }
  | { readonly type: 'failed'; readonly message: string };

/** A worker's sign of life. */
export interface WorkerLease {
  /** Aborts when the sign came too late: others may hold what this worker held. */
  readonly lost: AbortSignal;
  /** Has the next sign say that the worker does these attempts. */
  holds(items: readonly string[]): void;
  /** Takes the sign away. */
  release(): Promise<void>;
}

/** Says that a worker is alive, from a thread that its work cannot block; resolves once that is in the journal. */
export async function keepWorkerLease(data: HeartbeatData): Promise<WorkerLease> {
  const thread = new Worker(new URL('heartbeat-thread.ts', import.meta.url), {
    workerData: { ...data, environment: { ...data.environment } },
  });
  const lost = new AbortController();
  const alive = Promise.withResolvers<void>();
  const exited = once(thread, 'exit');
  thread.on('message', (message: HeartbeatMessage) => {
    if (message.type === 'alive') alive.resolve();
    else if (message.type === 'lost') lost.abort(new Error('This worker gave its sign of life too late'));
    else alive.reject(new Error(message.message));
  });
  thread.on('error', (error) => {
    alive.reject(error);
    lost.abort(error);
  });
  await alive.promise;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
  const order = (order: HeartbeatOrder): void => thread.postMessage(order);
  return {
    lost: lost.signal,
    holds: (items) => order({ type: 'holds', items }),
    async release() {
      order({ type: 'stop' });
      await exited;
    },
  };
}
