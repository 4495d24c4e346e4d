import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { openS3ArtifactStore } from '../../../src/adapters/artifact-store/s3.ts';
import { openMongoMetadataStore } from '../../../src/adapters/metadata-store/mongodb.ts';
import { openBullWorkQueue } from '../../../src/adapters/work-queue/bullmq.ts';
import type { Stores } from '../../../src/engine/run-context.ts';
import type { WorkQueue } from '../../../src/ports/work-queue.ts';
import { startMongod } from '../services/mongod.ts';
import { startRedis } from '../services/redis.ts';
import { startS3 } from '../services/s3.ts';

/** Whom a case of the server matrix kills. */
export const victims = ['mongod', 'redis', 'redis, emptied'] as const;
export type Victim = (typeof victims)[number];

/** The servers of the server profile, which can be killed and come back on the same data. */
export interface CrashServers {
  /** The stores of one case, apart from those of every other. */
  stores(name: string): Stores;
  queue(name: string): WorkQueue;
  /** Kills a server at once; it is started again in the background. */
  kill(victim: Victim): Promise<void>;
  /** Resolves when all servers are up; says what did not come back. */
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts MongoDB, Redis and S3, each with its data in `folder`. */
export async function startCrashServers(folder: string): Promise<CrashServers> {
  const place = async (name: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path, { recursive: true });
    return path;
  };
  const [mongod, redis, s3] = await Promise.all([
    startMongod(await place('mongod')),
    startRedis(await place('redis'), ['--appendonly', 'yes', '--appendfsync', 'always']),
    startS3(await place('s3')),
  ]);
  let reviving: Promise<void> = Promise.resolve();
  return {
    stores(name) {
      const options = { url: mongod.url, database: name, setting: 'metadataStore.url' };
      return {
        metadata: openMongoMetadataStore({ ...options, subject: 'journal' }),
        cache: openMongoMetadataStore({ ...options, subject: 'cache', cache: true }),
        artifacts: openS3ArtifactStore({
          endpoint: s3.endpoint,
          bucket: s3.bucket,
          prefix: `${name}/`,
          region: 'us-east-1',
          cacheFolder: join(folder, 'cache', name),
          credentials: async () => ({ accessKeyId: s3.accessKey, secretAccessKey: s3.secretKey }),
        }),
      };
    },
    queue: (name) => openBullWorkQueue({ url: redis.url, prefix: name, setting: 'workQueue.url' }),
    async kill(victim) {
      await reviving;
      const server = victim === 'mongod' ? mongod.servers[0]! : redis;
      await server.kill('SIGKILL');
      reviving = server.start().then(async () => {
        if (victim !== 'redis, emptied') return;
        const client = new Redis(redis.url);
        await client.flushall().finally(() => client.disconnect());
      });
      reviving.catch(() => undefined);
    },
    up: () => reviving,
    async stop() {
      await reviving.catch(() => undefined);
      await Promise.all([mongod.stop(), redis.stop(), s3.stop()]);
    },
  };
}
