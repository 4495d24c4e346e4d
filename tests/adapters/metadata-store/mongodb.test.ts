import { MongoClient } from 'mongodb';
import { describe, expect, test } from 'vitest';
import { openMongoMetadataStore } from '../../../src/adapters/metadata-store/mongodb.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import { metadataStoreConformance } from '../../conformance/metadata-store.ts';
import { skipWithout } from '../../support/python.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { startMongod } from '../../support/services/mongod.ts';
import { ofSuite } from '../../support/services/of-suite.ts';

const none = findBinary('mongod') === null;
if (none) skipWithout('mongod');

describe.skipIf(none)('MongoDB', () => {
  const mongod = ofSuite((folder) => startMongod(folder));
  let databases = 0;
  // As patient as a loaded machine needs that starts a server again.
  const open = (database = `journal-${++databases}`) =>
    openMongoMetadataStore({ url: mongod().url, database, subject: 'journal', setting: 'metadataStore.url', patienceMs: 110_000 });
  const raw = async <Value>(work: (client: MongoClient) => Promise<Value>): Promise<Value> => {
    const client = new MongoClient(mongod().url);
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  };

  metadataStoreConformance('MongoDB', () => Promise.resolve(open()));

  test('two processes that append to one stream lose nothing and double nothing', async () => {
    const stores = [open('shared'), open('shared')];
    await Promise.all(Array.from({ length: 400 }, (_, n) => stores[n % 2]!.append('run/a', null, [n])));
    for (const store of stores) {
      const records = await store.read('run/a', 0);
      expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 400 }, (_, n) => n + 1));
      expect(new Set(records.map(({ data }) => data)).size).toBe(400);
      expect((await store.read('run/a', 390)).map(({ seq }) => seq)).toEqual([391, 392, 393, 394, 395, 396, 397, 398, 399, 400]);
      await store.close();
    }
  });

  test('a server that is killed at any moment loses nothing that was taken, and each append is there once', async () => {
    const store = open();
    const taken: number[] = [];
    const killing = (async () => {
      for (let round = 0; round < 2; round++) {
        await store.append('run/other', null, ['running']);
        await mongod().servers[0]!.kill('SIGKILL');
        await mongod().servers[0]!.start();
      }
      return 'over' as const;
    })();
    const over = new AbortController();
    void killing.then(() => over.abort());
    for (let n = 1; !over.signal.aborted; n++) {
      expect(await store.append('run/a', n - 1, [n])).toEqual({ ok: true, seq: n });
      const [outcome] = await store.putMany('t', [{ key: 'count', expectedRevision: n - 1, row: n }]);
      expect(outcome).toEqual({ ok: true, revision: n });
      taken.push(n);
    }
    await killing;
    expect((await store.read('run/a', 0)).map(({ data }) => data)).toEqual(taken);
    expect(await store.get('t', ['count'])).toEqual([{ key: 'count', revision: taken.length, row: taken.length }]);
    await store.close();
  }, 240_000);

  test('records far larger than a document of the server are kept, if they can be packed into one', async () => {
    const store = open();
    const plan = Array.from({ length: 150_000 }, (_, n) => ({
      address: `step-${n}`,
      summary: 'One step of a great many, each with words of its own',
    }));
    await store.append('run/a', 0, [plan, 'after']);
    expect((await store.read('run/a', 0)).map(({ data }) => (Array.isArray(data) ? data.length : data))).toEqual([150_000, 'after']);
    await store.close();
  });

  test('what a newer twin wrote is not touched', async () => {
    await raw((client) =>
      client
        .db('newer')
        .collection<{ _id: string }>('schema')
        .insertOne({ _id: 'twin', version: 9 } as never),
    );
    const store = open('newer');
    const error = (await store.append('run/a', 0, [1]).catch((thrown: unknown) => thrown)) as ProblemError;
    expect(error.problem).toEqual({
      reason: 'state-newer',
      message: 'The journal in the database newer was written by a newer twin',
      where: 'metadataStore.url',
      expected: 'schema version 1 or lower',
      found: 'schema version 9',
      hint: 'Install the newer twin on this host, or name another database. Nothing was changed.',
      exit: 2,
    });
    await store.close();
  });

  test('a cache waits for no disk, in collections of its own', async () => {
    const options = { url: mongod().url, database: 'mixed', subject: 'cache', setting: 'metadataStore.url' };
    const [journal, cache] = [openMongoMetadataStore(options), openMongoMetadataStore({ ...options, cache: true })];
    await cache.putMany('t', [{ key: 'k', expectedRevision: null, row: 1 }]);
    expect(await journal.get('t', ['k'])).toEqual([null]);
    expect((await cache.get('t', ['k']))[0]?.row).toBe(1);
    await journal.close();
    await cache.close();
  });
});
