import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { asRedisProblem, connectQueueRedis, impatientRedis, patientRedis, type RedisPlace } from '../../clients/redis.ts';
import { digestOf } from '../../contracts/digest.ts';
import type { WorkItem, WorkQueue } from '../../ports/work-queue.ts';

/** Where the queue lies. */
export interface BullWorkQueueOptions extends RedisPlace {
  /** Put before every key in Redis. */
  readonly prefix: string;
}

/** So often an item is handed out before it is dropped: the journal knows what is still to be done. */
const deliveries = 3;
/** A consumer that renews the lock of an item no more for so long has lost it to the next one. */
const lockMs = 30_000;
const againMs = 200;
/** How long a consumer whose items are done has for telling the server so. */
const goodbyeMs = 1000;

/** A queue on Redis, shared by every host, by BullMQ. Items that are handled leave it; it may be emptied at any time. */
export function openBullWorkQueue({ prefix, ...place }: BullWorkQueueOptions): WorkQueue {
  const queues = new Map<string, Queue<WorkItem>>();
  const closing = new AbortController();
  let producing: Promise<Redis> | null = null;
  const running = new Set<Promise<void>>();

  const connection = (): Promise<Redis> => {
    if (producing !== null) return producing;
    const connecting = (async () => {
      const client = await impatientRedis(place);
      try {
        await connectQueueRedis(client, place);
      } catch (error) {
        client.disconnect();
        throw error;
      }
      return client;
    })();
    producing = connecting;
    // A server that could not be reached, or was refused, is asked again at the next call.
    connecting.catch(() => (producing = null));
    return connecting;
  };
  const queueOf = async (lane: string): Promise<Queue<WorkItem>> => {
    const client = await connection();
    const known = queues.get(lane);
    if (known) return known;
    const { Queue: BullQueue } = await import('bullmq');
    const queue = new BullQueue<WorkItem>(nameOf(lane), { connection: client, prefix, skipVersionCheck: true });
    queue.on('error', () => undefined);
    queues.set(lane, queue);
    return queue;
  };

  /** Consumes until the signal aborts; begins anew where the server went away while a consumer was starting. */
  const consumeUntil = async (
    handle: (item: WorkItem, signal: AbortSignal) => Promise<void>,
    lane: string,
    concurrency: number,
    ending: AbortSignal,
  ): Promise<void> => {
    const { Worker } = await import('bullmq');
    while (!ending.aborted) {
      const { client, end } = await patientRedis(place);
      const handling = new Set<Promise<void>>();
      const handled = async ({ data }: { readonly data: WorkItem }): Promise<void> => {
        const one = handle(data, ending);
        handling.add(one);
        await one.finally(() => handling.delete(one));
      };
      const worker = new Worker<WorkItem>(nameOf(lane), handled, {
        connection: client,
        prefix,
        concurrency,
        autorun: false,
        lockDuration: lockMs,
        skipVersionCheck: true,
        // A lock that ran out says nothing about the item: whoever takes it next finds in the journal whether it is done.
        maxStalledCount: Number.MAX_SAFE_INTEGER,
      });
      worker.on('error', () => undefined);
      const told = Promise.withResolvers<void>();
      const tell = (): void => told.resolve();
      ending.addEventListener('abort', tell, { once: true });
      if (!ending.aborted) await Promise.race([told.promise, worker.run().catch(() => undefined)]);
      ending.removeEventListener('abort', tell);
      const closed = worker.close(!ending.aborted).catch(() => undefined);
      await Promise.allSettled(handling);
      // Without its server BullMQ may wait for a connection that is not to come.
      await Promise.race([closed, delay(goodbyeMs, undefined, { ref: false })]);
      if (!ending.aborted) await delay(againMs);
      end();
    }
  };

  return {
    capabilities: { shared: true },

    async enqueue(items, lane = 'default') {
      if (closing.signal.aborted) throw new Error('The work queue is closed');
      const queue = await queueOf(lane);
      try {
        await queue.addBulk(
          items.map((data) => ({
            name: data.kind,
            data,
            // The same item waits once.
            opts: { jobId: digestOf(data), attempts: deliveries, removeOnComplete: true, removeOnFail: true },
          })),
        );
      } catch (error) {
        throw asRedisProblem(error, place);
      }
    },

    async consume(handle, { concurrency, signal, lane = 'default' }) {
      if (signal.aborted || closing.signal.aborted) return;
      await connection();
      const ending = AbortSignal.any([signal, closing.signal]);
      const ended = consumeUntil(handle, lane, concurrency, ending);
      running.add(ended);
      await ended.finally(() => running.delete(ended));
    },

    async close() {
      closing.abort();
      await Promise.allSettled(running);
      await Promise.allSettled([...queues.values()].map((queue) => queue.close()));
      queues.clear();
      (await producing?.catch(() => null))?.disconnect();
      producing = null;
    },
  };
}

/** BullMQ keeps the colon for itself. */
function nameOf(lane: string): string {
  return lane.replaceAll(':', '-');
}
