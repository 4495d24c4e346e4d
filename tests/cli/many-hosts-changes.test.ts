import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { builtEnvironment, skipWithout } from '../support/python.ts';
import { findBinary } from '../support/services/find-binary.ts';
import { startMongod } from '../support/services/mongod.ts';
import { ofSuite } from '../support/services/of-suite.ts';
import { startQdrant } from '../support/services/qdrant.ts';
import { startRedis } from '../support/services/redis.ts';
import { startS3 } from '../support/services/s3.ts';
import { serverProfile } from '../support/services/server-profile.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTwin, type TwinProcess } from '../support/twin-process.ts';

const lacking = [
  ...(builtEnvironment() === null ? ['python'] : []),
  ...(['mongod', 'redis-server', 'versitygw'] as const).filter((name) => findBinary(name) === null),
];
for (const name of lacking) skipWithout(name);

describe.skipIf(lacking.length > 0)('a watch on many hosts', () => {
  const mongod = ofSuite((folder) => startMongod(folder));
  const redis = ofSuite((folder) => startRedis(folder));
  const s3 = ofSuite((folder) => startS3(folder));
  const qdrant = ofSuite((folder) => startQdrant(folder));
  let databases = 0;

  /** Hosts that share no disk, and documents that are collected into the MongoDB they all reach. */
  async function hosts() {
    const database = `changes-${++databases}`;
    const folder = await temporaryFolder();
    const documents = {
      CI: 'true',
      TWIN_DOCUMENT_STORE__KIND: 'mongodb',
      TWIN_DOCUMENT_STORE__URL: mongod().url,
      TWIN_DOCUMENT_STORE__DATABASE: `${database}-documents`,
    };
    const shared = {
      ...documents,
      TWIN_EMBEDDER__KIND: 'fake',
      TWIN_INDEX: database,
      TWIN_VECTOR_INDEX__KIND: 'qdrant',
      TWIN_VECTOR_INDEX__URL: qdrant().url,
      ...serverProfile({ mongod: mongod(), redis: redis(), s3: s3() }, database),
    };
    const startWith = async (environment: Readonly<Record<string, string>>, args: readonly string[]): Promise<TwinProcess> => {
      const twin = startTwin(args, folder, { ...environment, TWIN_STATE: join(await temporaryFolder(), 'state') });
      onTestFinished(() => void twin.child.kill('SIGKILL'));
      return twin;
    };
    const start = (...args: string[]): Promise<TwinProcess> => startWith(shared, args);
    /** Writes documents and collects them on a host that has the database alone. */
    const collect = async (name: string, count: number): Promise<void> => {
      const place = join(folder, name);
      await mkdir(place, { recursive: true });
      for (let n = 0; n < count; n += 1) await writeFile(join(place, `${n}.md`), `# ${name} ${n}\n\nDocument ${n} of ${name}.\n`);
      const collected = await startWith(documents, ['collect', name]);
      expect(await collected.ended).toBe(0);
    };
    const worker = async (): Promise<TwinProcess> => {
      const twin = await start('worker', '--concurrency', '2');
      await twin.says('Serves the pool');
      return twin;
    };
    const verified = async (): Promise<number | string> => {
      const verify = await start('verify', 'index');
      return verify.ended;
    };
    return { start, collect, worker, verified };
  }

  test.each([
    ['killed', () => redis().kill('SIGKILL'), () => redis().start()],
    ['stopped', () => redis().kill('SIGSTOP'), () => redis().kill('SIGCONT')],
  ] as const)(
    'has its changes applied by workers, of which one is killed, while Redis is emptied and %s',
    async (_, strike, mend) => {
      const { start, collect, worker, verified } = await hosts();
      await collect('first', 30);
      const [killed, staying] = [await worker(), await worker()];
      const watch = await start('watch', 'feature-pipeline');
      await watch.says('in step');
      expect(`${killed.text()}${staying.text()}`).toMatch(/\d+ changes? {2}applied/);
      expect(await verified()).toBe(0);

      killed.child.kill('SIGKILL');
      const client = new Redis(redis().url);
      await client.flushall();
      client.disconnect();
      await collect('second', 30);
      await expect.poll(verified, { timeout: 60_000, interval: 500 }).toBe(0);

      await strike();
      await collect('third', 30);
      await watch.says('Changes are applied here, and not by workers of the pool default: the queue cannot be reached');
      await mend();
      await expect.poll(verified, { timeout: 60_000, interval: 500 }).toBe(0);
      watch.child.kill('SIGTERM');
      expect(await watch.ended).toBe(0);
      expect(watch.text()).toMatch(/it holds \d+ points of 90 documents/);
      staying.child.kill('SIGTERM');
      expect(await staying.ended).toBe(143);
      if (process.env['TWIN_TEST_TELL']) console.log(watch.text(), staying.text());
    },
    300_000,
  );
});
