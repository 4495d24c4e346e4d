import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkItem, WorkQueue } from '../../src/ports/work-queue.ts';

/** What every work queue must do. The factory opens a new, empty queue. */
export function workQueueConformance(name: string, open: () => Promise<WorkQueue>): void {
  describe(`${name} keeps the contract of a work queue`, () => {
    let queue: WorkQueue;
    beforeEach(async () => {
      queue = await open();
    });
    afterEach(() => queue.close());

    const attempts = (...keys: string[]): WorkItem[] => keys.map((key) => ({ kind: 'attempt', key }));
    const keyOf = (item: WorkItem) => (item.kind === 'attempt' ? item.key : item.batch);

    /** Consumes until `handle` has ended this often, and gives the items in the order in which they came. */
    async function consume(
      count: number,
      handle: (item: WorkItem) => Promise<void> = async () => {},
      concurrency = 1,
    ): Promise<WorkItem[]> {
      const seen: WorkItem[] = [];
      const controller = new AbortController();
      await queue.consume(
        async (item) => {
          seen.push(item);
          try {
            await handle(item);
          } finally {
            if (seen.length >= count) controller.abort();
          }
        },
        { concurrency, signal: controller.signal },
      );
      return seen;
    }

    test('items of both kinds come as they were given, in order', async () => {
      const changes = [{ key: { tenant: 'default', id: 'é' }, version: 7 }];
      const batch: WorkItem = { kind: 'change-batch', batch: 'w/1', handed: 1, pipeline: 'p', generation: 'g', changes };
      await queue.enqueue([...attempts('a'), batch]);
      await queue.enqueue(attempts('b'));
      expect(await consume(3)).toEqual([...attempts('a'), batch, ...attempts('b')]);
    });

    test('a consumer that waits gets what is given later', async () => {
      const consumed = consume(2);
      await queue.enqueue(attempts('a'));
      await queue.enqueue(attempts('b'));
      expect((await consumed).map(keyOf)).toEqual(['a', 'b']);
    });

    test('no more items run at once than the concurrency allows, and as many as it allows do', async () => {
      await queue.enqueue(attempts('1', '2', '3', '4', '5', '6'));
      let running = 0;
      let most = 0;
      const three = Promise.withResolvers<void>();
      await consume(
        6,
        async () => {
          most = Math.max(most, ++running);
          if (running === 3) three.resolve();
          await three.promise;
          running--;
        },
        3,
      );
      expect(most).toBe(3);
    });

    test('an item whose handler fails comes again', async () => {
      await queue.enqueue(attempts('a', 'b'));
      let failures = 0;
      const seen = await consume(3, async (item) => {
        if (keyOf(item) === 'a' && failures++ === 0) throw new Error('not now');
      });
      expect(seen.map(keyOf).toSorted()).toEqual(['a', 'a', 'b']);
    });

    test('an abort stops the delivery, waits for what runs, and leaves the rest to the next consumer', async () => {
      await queue.enqueue(attempts('a', 'b'));
      const controller = new AbortController();
      const started = Promise.withResolvers<void>();
      const finish = Promise.withResolvers<void>();
      let ended = false;
      const consumed = queue.consume(
        async () => {
          started.resolve();
          await finish.promise;
          ended = true;
        },
        { concurrency: 1, signal: controller.signal },
      );
      await started.promise;
      controller.abort();
      finish.resolve();
      await consumed;
      expect(ended).toBe(true);
      expect((await consume(1)).map(keyOf)).toEqual(['b']);
    });

    test('a handler that aborts at once is still waited for', async () => {
      await queue.enqueue(attempts('a'));
      const controller = new AbortController();
      let ended = false;
      await queue.consume(
        async () => {
          controller.abort();
          await Promise.resolve();
          ended = true;
        },
        { concurrency: 1, signal: controller.signal },
      );
      expect(ended).toBe(true);
    });

    test('two consumers share the items', async () => {
      await queue.enqueue(attempts('a', 'b'));
      const both = Promise.withResolvers<void>();
      let running = 0;
      const handle = async () => {
        if (++running === 2) both.resolve();
        await both.promise;
      };
      const seen = (await Promise.all([consume(1, handle), consume(1, handle)])).flat();
      expect(seen.map(keyOf).toSorted()).toEqual(['a', 'b']);
    });

    test('lanes do not see each other', async () => {
      await queue.enqueue(attempts('a'), 'gpu');
      await queue.enqueue(attempts('b'));
      expect((await consume(1)).map(keyOf)).toEqual(['b']);
      const controller = new AbortController();
      const seen: string[] = [];
      const handle = async (item: WorkItem) => {
        seen.push(keyOf(item));
        controller.abort();
      };
      await queue.consume(handle, { concurrency: 1, signal: controller.signal, lane: 'gpu' });
      expect(seen).toEqual(['a']);
    });

    test('an item that was handled may be given again', async () => {
      for (const _ of [1, 2]) {
        await queue.enqueue(attempts('a'));
        expect((await consume(1)).map(keyOf)).toEqual(['a']);
      }
    });

    test('a consumer whose signal has aborted takes nothing', async () => {
      await queue.enqueue(attempts('a'));
      await queue.consume(() => Promise.reject(new Error('never called')), { concurrency: 1, signal: AbortSignal.abort() });
      expect((await consume(1)).map(keyOf)).toEqual(['a']);
    });

    test('closing twice is harmless', async () => {
      await queue.close();
      await expect(queue.close()).resolves.toBeUndefined();
    });
  });
}
