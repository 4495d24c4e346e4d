import { describe, expect, test } from 'vitest';
import { MongoDatabase } from '../../src/clients/mongodb.ts';
import type { ProblemError } from '../../src/contracts/problem.ts';
import { skipWithout } from '../support/python.ts';
import { findBinary } from '../support/services/find-binary.ts';
import { startMongod } from '../support/services/mongod.ts';
import { ofSuite } from '../support/services/of-suite.ts';
import { freePort } from '../support/services/server-process.ts';

const none = findBinary('mongod') === null;
if (none) skipWithout('mongod');

const of = (url: string) =>
  new MongoDatabase({ url, database: 'twin', subject: 'journal', setting: 'metadataStore.url', firstPatienceMs: 300, patienceMs: 20_000 });
const problemOf = async (url: string) => {
  const database = of(url);
  const error = (await database.once((db) => db.command({ ping: 1 })).catch((thrown: unknown) => thrown)) as ProblemError;
  await database.close();
  expect(`${error.message} ${error.stack} ${JSON.stringify(error.problem)} ${String(error.cause)}`).not.toContain('hunter2');
  return error.problem;
};

test('opening nothing closes well, and a closed database says so', async () => {
  const database = of('mongodb://127.0.0.1:1');
  await database.close();
  await database.close();
  await expect(database.db()).rejects.toThrow('The connection to the journal is closed');
});

test('a server that is not there is named, without the password', async () => {
  const port = await freePort();
  expect(await problemOf(`mongodb://user:hunter2@127.0.0.1:${port}/`)).toEqual({
    reason: 'mongodb-unreachable',
    message: `MongoDB at 127.0.0.1:${port} does not answer`,
    where: 'metadataStore.url',
    found: `connect ECONNREFUSED 127.0.0.1:${port}`,
    hint: 'Start it, or correct metadataStore.url.',
    exit: 2,
  });
});

test('a URL of something else is refused, without the password', async () => {
  expect(await problemOf('postgres://user:hunter2@127.0.0.1/')).toMatchObject({ reason: 'mongodb-url', exit: 2 });
});

describe.skipIf(none)('with a server', () => {
  const standalone = ofSuite((folder) => startMongod(folder, { members: 0 }));
  const set = ofSuite((folder) => startMongod(folder));

  test('a standalone server is refused: it has no majority and no change streams', async () => {
    const problem = await problemOf(standalone().url);
    expect(problem).toMatchObject({ reason: 'mongodb-no-replica-set', found: 'a standalone server', exit: 2 });
    expect(problem.hint).toBe('Start mongod with --replSet twin and initiate it once: mongosh --eval "rs.initiate()"');
  });

  test('a user whom the server does not know is refused, without the password', async () => {
    const url = new URL(set().url);
    [url.username, url.password] = ['user', 'hunter2'];
    expect(await problemOf(url.href)).toMatchObject({
      reason: 'mongodb-authentication',
      message: `MongoDB at ${url.host} does not accept the user of the journal`,
      where: 'metadataStore.url',
      found: 'Authentication failed.',
      exit: 2,
    });
  });

  test('a server that is killed and comes back within the patience is waited for', async () => {
    const database = of(set().url);
    await database.once((db) => db.command({ ping: 1 }));
    await set().servers[0]!.kill('SIGKILL');
    const counted = database.patiently((db) => db.collection('things').countDocuments({}));
    await set().servers[0]!.start();
    expect(await counted).toBe(0);
    await database.close();
  });

  test('a call that the driver never answers, because its server was killed, is made again', async () => {
    const database = of(set().url);
    await database.once((db) => db.command({ ping: 1 }));
    let calls = 0;
    const counted = database.patiently((db) =>
      ++calls === 1 ? new Promise<number>(() => undefined) : db.collection('things').countDocuments({}),
    );
    await set().servers[0]!.kill('SIGKILL');
    await set().servers[0]!.start();
    expect(await counted).toBe(0);
    await database.close();
  });
});
