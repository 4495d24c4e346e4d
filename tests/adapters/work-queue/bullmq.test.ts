import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { openBullWorkQueue } from '../../../src/adapters/work-queue/bullmq.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import type { WorkItem } from '../../../src/ports/work-queue.ts';
import { workQueueConformance } from '../../conformance/work-queue.ts';
import { skipWithout } from '../../support/python.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { ofSuite } from '../../support/services/of-suite.ts';
import { startRedis } from '../../support/services/redis.ts';
import { freePort } from '../../support/services/server-process.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const none = findBinary('redis-server') === null;
if (none) skipWithout('redis-server');

describe.skipIf(none)('BullMQ', () => {
  const redis = ofSuite((folder) => startRedis(folder));
  let prefixes = 0;
  const open = (url = redis().url) => openBullWorkQueue({ url, prefix: `suite-${++prefixes}`, setting: 'workQueue.url' });
  const item: WorkItem = { kind: 'attempt', key: 'a' };

  workQueueConformance('BullMQ', () => Promise.resolve(open()));

  const problemOf = async (work: Promise<unknown>) => ((await work.catch((error: unknown) => error)) as ProblemError).problem;

  test('a server that is not there is named at once, without the password', async () => {
    const port = await freePort();
    const queue = open(`redis://user:hunter2@127.0.0.1:${port}`);
    const problem = await problemOf(queue.enqueue([item]));
    expect(problem).toMatchObject({
      reason: 'redis-unreachable',
      message: `Redis at 127.0.0.1:${port} does not answer`,
      where: 'workQueue.url',
      hint: 'Start it, or correct workQueue.url. Nothing is lost: what is queued is queued again from the journal.',
      exit: 2,
    });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
    await queue.close();
  });

  test('a server that would evict is refused, by those who give and by those who take', async () => {
    const evicting = await startRedis(await temporaryFolder(), ['--maxmemory-policy', 'allkeys-lru']);
    const queue = open(evicting.url);
    const expected = {
      reason: 'redis-evicts',
      message: `Redis at 127.0.0.1:${evicting.port} throws keys away when its memory is full`,
      where: 'workQueue.url',
      expected: 'maxmemory-policy noeviction',
      found: 'maxmemory-policy allkeys-lru',
      hint: 'Set it: redis-cli config set maxmemory-policy noeviction (and in redis.conf), or name another server.',
      exit: 2,
    };
    expect(await problemOf(queue.enqueue([item]))).toEqual(expected);
    const { signal } = new AbortController();
    expect(await problemOf(queue.consume(async () => {}, { concurrency: 1, signal }))).toEqual(expected);
    await queue.close();
    await evicting.stop();
  });

  test('a consumer goes on when the server was killed and comes back empty', async () => {
    const own = await startRedis(await temporaryFolder());
    const [giving, taking] = [open(own.url), openBullWorkQueue({ url: own.url, prefix: `suite-${prefixes}`, setting: 'workQueue.url' })];
    const controller = new AbortController();
    const seen: string[] = [];
    const [first, both] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const consumed = taking.consume(
      async (each) => {
        seen.push(each.kind === 'attempt' ? each.key : '');
        first.resolve();
        if (seen.includes('b')) both.resolve();
      },
      { concurrency: 1, signal: controller.signal },
    );
    await giving.enqueue([item]);
    await first.promise;
    await own.kill('SIGKILL');
    expect((await problemOf(giving.enqueue([{ kind: 'attempt', key: 'b' }]))).reason).toBe('redis-unreachable');
    await own.start();
    // As the owner of the journal does: again, until it is taken.
    const again = setInterval(() => void giving.enqueue([{ kind: 'attempt', key: 'b' }]).catch(() => undefined), 100);
    await both.promise;
    clearInterval(again);
    controller.abort();
    await consumed;
    await Promise.all([giving.close(), taking.close()]);
    await own.stop();
  }, 60_000);

  test('a consumer that is told to stop while its server is away stops, once its item is done', async () => {
    const own = await startRedis(await temporaryFolder());
    const queue = open(own.url);
    const controller = new AbortController();
    const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let ended = false;
    const handle = async (): Promise<void> => {
      begun.resolve();
      await mayEnd.promise;
      ended = true;
    };
    const consumed = queue.consume(handle, { concurrency: 1, signal: controller.signal });
    await queue.enqueue([item]);
    await begun.promise;
    await own.kill('SIGKILL');
    controller.abort();
    mayEnd.resolve();
    await consumed;
    expect(ended).toBe(true);
    await queue.close();
  }, 30_000);

  test('nothing stays in Redis of what was handled, also where a handler failed at every delivery', async () => {
    const queue = open();
    const controller = new AbortController();
    await queue.enqueue([item]);
    let calls = 0;
    await queue.consume(
      async () => {
        if (++calls === 3) controller.abort();
        throw new Error('never');
      },
      { concurrency: 1, signal: controller.signal },
    );
    expect(calls).toBe(3);
    const client = new Redis(redis().url);
    const jobs = (await client.keys(`suite-${prefixes}:*`)).filter((key) => /:[0-9a-f]{64}$/.test(key));
    client.disconnect();
    expect(jobs).toEqual([]);
    await queue.close();
  });
});
