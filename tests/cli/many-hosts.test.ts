import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openMongoMetadataStore } from '../../src/adapters/metadata-store/mongodb.ts';
import { attemptsTable, readWorkers } from '../../src/engine/dispatch/tables.ts';
import { skipWithout } from '../support/python.ts';
import { findBinary } from '../support/services/find-binary.ts';
import { startMongod } from '../support/services/mongod.ts';
import { ofSuite } from '../support/services/of-suite.ts';
import { startRedis } from '../support/services/redis.ts';
import { startS3 } from '../support/services/s3.ts';
import { serverProfile } from '../support/services/server-profile.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTwin, type TwinProcess } from '../support/twin-process.ts';

const lacking = (['mongod', 'redis-server', 'versitygw'] as const).filter((name) => findBinary(name) === null);
for (const name of lacking) skipWithout(name);

const project = resolve(import.meta.dirname, '../fixtures/many-hosts');
const lastNumbers = (600 * 601 * 1201) / 6;

describe.skipIf(lacking.length > 0)('runs on many hosts', () => {
  const mongod = ofSuite((folder) => startMongod(folder));
  const redis = ofSuite((folder) => startRedis(folder));
  const s3 = ofSuite((folder) => startS3(folder));
  let databases = 0;

  /** Hosts that share no disk: each twin gets a state folder of its own, and the servers in its environment. */
  async function hosts(ofWorkers: Readonly<Record<string, string>> = {}) {
    const database = `hosts-${++databases}`;
    const shared = serverProfile({ mongod: mongod(), redis: redis(), s3: s3() }, database);
    const started: TwinProcess[] = [];
    onTestFinished(() => {
      for (const { child } of started) child.kill('SIGKILL');
    });
    const start = async (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<TwinProcess> => {
      const twin = startTwin(args, project, { ...shared, ...more, TWIN_STATE: join(await temporaryFolder(), 'state') });
      started.push(twin);
      return twin;
    };
    const worker = async (): Promise<TwinProcess> => {
      const twin = await start(['worker', '--concurrency', '1'], ofWorkers);
      await twin.says('Serves the pool');
      return twin;
    };
    const store = openMongoMetadataStore({ url: mongod().url, database, subject: 'journal', setting: 'metadataStore.url' });
    onTestFinished(() => store.close());
    return { start, worker, store, file: join(await temporaryFolder(), 'totals') };
  }

  test('of three workers one is killed and one sleeps: the run ends, each step is committed once, the sleeper is fenced out', async () => {
    const { start, worker, store, file } = await hosts();
    const [killed, sleeper, third] = [await worker(), await worker(), await worker()];
    const run = await start(['run', 'many-pipeline', '--set', `note-total.file=${file}`, '--set', 'linger-1.milliseconds=1500']);
    // Each at once, while it holds its step: waiting for the other could outlast the step.
    const strike = async (worker: TwinProcess, signal: NodeJS.Signals): Promise<void> => {
      await worker.says(/linger-\d {2}taken/);
      worker.child.kill(signal);
    };
    await Promise.all([strike(killed, 'SIGKILL'), strike(sleeper, 'SIGSTOP')]);
    const at = performance.now();
    await run.says(/is lost[^]*is lost/);
    const foundMs = performance.now() - at;
    if (process.env['TWIN_TEST_TELL']) console.log(`both lost workers found after ${Math.round(foundMs)} ms`);
    expect(await run.ended).toBe(0);
    // Leases run out after 6 s by the server's clock, and are looked at twice a second; a loaded machine needs longer.
    expect(foundMs).toBeLessThan(30_000);

    sleeper.child.kill('SIGCONT');
    await sleeper.says(/fenced out[^]*It begins anew\.[^]*Serves the pool/);
    expect(third.text()).toContain('committed');

    const [stream] = await store.streams('run/', '', 10);
    const records = (await store.read(stream!, 0)).map(({ data }) => data as { type: string; step?: string; outcome?: string });
    const finished = records.filter(({ type }) => type === 'step-finished');
    expect(finished.map(({ outcome }) => outcome)).toEqual(finished.map(() => 'succeeded'));
    expect(finished.map(({ step }) => String(step)).toSorted((a, b) => a.localeCompare(b))).toEqual(
      [...Array.from({ length: 9 }, (_, n) => `linger-${n + 1}`), 'list-numbers', 'note-total', 'square-numbers'].toSorted((a, b) =>
        a.localeCompare(b),
      ),
    );
    expect(await readFile(file, 'utf8')).toBe(`${lastNumbers}\n`);
    expect(await store.scan(attemptsTable, '', '', 10)).toEqual([]);

    const again = await start(['run', 'many-pipeline', '--set', `note-total.file=${file}`, '--set', 'linger-1.milliseconds=1500']);
    expect(await again.ended).toBe(0);
    expect(again.text()).toContain('12 cached');
    expect(await readFile(file, 'utf8')).toBe(`${lastNumbers}\n`);
  }, 300_000);

  test('Redis may be emptied and killed while steps wait: nothing is lost and nothing is done twice', async () => {
    const { start, worker, store, file } = await hosts();
    const only = await worker();
    const run = await start(['run', 'many-pipeline', '--set', `note-total.file=${file}`]);
    await only.says(/taken/);
    const client = new Redis(redis().url);
    await client.flushall();
    client.disconnect();
    await only.says(/committed/);
    await redis().kill('SIGKILL');
    await redis().start();
    expect(await run.ended).toBe(0);
    const [stream] = await store.streams('run/', '', 10);
    const records = (await store.read(stream!, 0)).map(({ data }) => data as { type: string; step?: string });
    const finished = records.filter(({ type }) => type === 'step-finished').map(({ step }) => step);
    expect(new Set(finished).size).toBe(finished.length);
    expect(await readFile(file, 'utf8')).toBe(`${lastNumbers}\n`);
  }, 300_000);

  test('a worker that is told to stop gives back what it holds, and leaves the table of workers', async () => {
    const { start, worker, store, file } = await hosts();
    const [leaving, staying] = [await worker(), await worker()];
    const run = await start(['run', 'many-pipeline', '--set', `note-total.file=${file}`]);
    await leaving.says(/linger-\d {2}taken/);
    leaving.child.kill('SIGTERM');
    expect(await leaving.ended).toBe(143);
    expect(leaving.text()).toMatch(/returned, for another worker|committed/);
    expect((await readWorkers(store)).size).toBe(1);
    expect(await run.ended).toBe(0);
    expect(run.text()).not.toContain('is lost');
    expect(staying.text()).toContain('committed');
  }, 300_000);

  test('a worker that would do something else than the run asks for returns the step, and says what differs', async () => {
    const { start, worker, file } = await hosts({ TWIN_TEST_FLAVOUR: 'other' });
    const other = await worker();
    const run = await start(['run', 'many-pipeline', '--set', `note-total.file=${file}`]);
    expect(await run.ended).toBe(1);
    expect(run.text()).toMatch(/error: The worker on \S+ would not do step linger-\d as this run asks for/);
    expect(run.text()).toMatch(
      /expected +the same environment as here\n +found +another environment\n +→ Bring the worker to the same commit/,
    );
    expect(other.text()).toMatch(/linger-\d {2}failed: The worker on/);
  }, 300_000);

  test('a step that calls process.exit fails, and the worker goes on', async () => {
    const { start, worker, file } = await hosts();
    const only = await worker();
    const exits = ['--set', 'linger-1.exits=true', '--keep-going'];
    const run = await start(['run', 'many-pipeline', '--set', `note-total.file=${file}`, ...exits]);
    expect(await run.ended).toBe(1);
    expect(run.text()).toMatch(/error: Step linger-1 called process\.exit\(3\)\n +at +linger-1/);
    expect(only.text()).toMatch(/linger-1 {2}failed: Step linger-1 called process\.exit\(3\)/);
    expect(only.child.exitCode).toBe(null);
    expect(await readFile(file, 'utf8')).toBe(`${lastNumbers}\n`);
  }, 300_000);

  test('without any worker a run does its steps itself', async () => {
    const { start, file } = await hosts();
    const run = await start(['run', 'many-pipeline', '--set', `note-total.file=${file}`]);
    expect(await run.ended).toBe(0);
    expect(run.text()).toContain('No worker serves the pool default, so the step is done here');
  }, 300_000);
});
