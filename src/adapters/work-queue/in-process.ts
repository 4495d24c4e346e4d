import type { WorkItem, WorkQueue } from '../../ports/work-queue.ts';

/** So often an item is handed out before its failure ends the consumer. */
const deliveries = 3;

interface Entry {
  readonly item: WorkItem;
  readonly delivery: number;
}

/** A queue in the memory of this process: what it held when the process ends is filled in again from the journal. */
export function openInProcessWorkQueue(): WorkQueue {
  const lanes = new Map<string, Entry[]>();
  const laneOf = (name = 'default'): Entry[] => {
    const lane = lanes.get(name) ?? [];
    lanes.set(name, lane);
    return lane;
  };
  const consumers = new Set<() => void>();
  let closed = false;
  const wake = () => consumers.forEach((look) => look());

  return {
    capabilities: { shared: false },

    enqueue(items, lane) {
      if (closed) return Promise.reject(new Error('The work queue is closed'));
      laneOf(lane).push(...items.map((item) => ({ item, delivery: 1 })));
      wake();
      return Promise.resolve();
    },

    /** Rejects with the error of an item whose handler failed at each of its deliveries; the others that run are waited for first. */
    async consume(handle, { concurrency, signal, lane }) {
      const waiting = laneOf(lane);
      let running = 0;
      let failure: { readonly error: unknown } | null = null;
      const ended = Promise.withResolvers<void>();
      const isEnding = () => closed || signal.aborted || failure !== null;

      const deliver = async ({ item, delivery }: Entry) => {
        running++;
        try {
          await handle(item, signal);
        } catch (error) {
          // Back to the end of the queue, also when it is given up: the next consumer may fare better.
          waiting.push({ item, delivery: delivery < deliveries ? delivery + 1 : 1 });
          if (delivery === deliveries) failure ??= { error };
        }
        running--;
        wake();
      };
      const mayStart = () => !isEnding() && running < concurrency && waiting.length > 0;
      const look = () => {
        while (mayStart()) void deliver(waiting.shift()!);
        if (!isEnding() || running > 0) return;
        if (failure === null) ended.resolve();
        else ended.reject(failure.error);
      };

      consumers.add(look);
      signal.addEventListener('abort', look);
      look();
      try {
        await ended.promise;
      } finally {
        consumers.delete(look);
        signal.removeEventListener('abort', look);
      }
    },

    close() {
      closed = true;
      wake();
      return Promise.resolve();
    },
  };
}
