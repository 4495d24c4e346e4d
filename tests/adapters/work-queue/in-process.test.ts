import { expect, test } from 'vitest';
import { openInProcessWorkQueue } from '../../../src/adapters/work-queue/in-process.ts';
import { workQueueConformance } from '../../conformance/work-queue.ts';

workQueueConformance('The queue in process', () => Promise.resolve(openInProcessWorkQueue()));

test('an item that fails at its third delivery ends the consumer with its error, and stays in the queue', async () => {
  const queue = openInProcessWorkQueue();
  await queue.enqueue([{ kind: 'attempt', key: 'a' }]);
  let calls = 0;
  const consumed = queue.consume(() => Promise.reject(new Error(`failure ${++calls}`)), {
    concurrency: 2,
    signal: new AbortController().signal,
  });
  await expect(consumed).rejects.toThrow('failure 3');
  const controller = new AbortController();
  const seen: string[] = [];
  await queue.consume(
    async (item) => {
      seen.push(item.kind);
      controller.abort();
    },
    { concurrency: 1, signal: controller.signal },
  );
  expect(seen).toEqual(['attempt']);
});

test('closing ends a consumer that waits', async () => {
  const queue = openInProcessWorkQueue();
  const consumed = queue.consume(async () => {}, { concurrency: 1, signal: new AbortController().signal });
  await queue.close();
  await expect(consumed).resolves.toBeUndefined();
  await expect(queue.enqueue([])).rejects.toThrow('closed');
});
