import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type Timestamp } from 'mongodb';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { WatchStatus } from '../../src/contracts/watch.ts';
import { watchChanges } from '../../src/index-sync/watch.ts';
import { skipWithout } from '../support/python.ts';
import { findBinary } from '../support/services/find-binary.ts';
import { type MongodOptions, startMongod } from '../support/services/mongod.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openMongoRig } from './mongodb-rig.ts';
import type { Rig } from './rig.ts';

const here = findBinary('mongod') !== null;
if (!here) skipWithout('mongod');

/** A MongoDB of its own, for a test that is hard on it. */
async function ownServer(options: MongodOptions = {}) {
  const folder = await temporaryFolder();
  const mongod = await startMongod(folder, options);
  const client = new MongoClient(mongod.url, { serverSelectionTimeoutMS: 60_000 });
  onTestFinished(async () => {
    await client.close();
    await mongod.stop();
  });
  return { folder, mongod: () => mongod, client: () => client };
}

/** Writes to another collection until the history has forgotten everything before. */
async function fillHistory(client: MongoClient): Promise<void> {
  const history = client.db('local').collection<{ ts: Timestamp }>('oplog.rs');
  const end = async (natural: 1 | -1) => {
    const { ts } = (await history.findOne({}, { sort: { $natural: natural } }))!;
    return ts.t * 2 ** 20 + ts.i;
  };
  const last = await end(-1);
  const filler = client.db('elsewhere').collection('filler');
  const until = performance.now() + 40_000;
  while ((await end(1)) <= last) {
    if (performance.now() > until) throw new Error('The server does not forget its history');
    await filler.insertOne({ padding: 'x'.repeat(500_000) });
    await filler.deleteMany({});
  }
}

const tinyHistory = { args: ['--oplogSize', '1', '--syncdelay', '1'] };

/** A watch in the background. */
function startWatch(rig: Rig) {
  const stopping = new AbortController();
  const said: WatchStatus[] = [];
  const ended = watchChanges({ ...rig.options, stop: stopping.signal, status: (status) => void said.push(status) }, rig.ports);
  ended.catch(() => undefined);
  return { said, ended, stop: () => stopping.abort() };
}

const inStep = (rig: Rig) =>
  expect
    .poll(async () => (await rig.vectorIndex.alias('main')) !== null && (await rig.pointDifferences()), { timeout: 60_000, interval: 200 })
    .toEqual([]);

describe.skipIf(!here)('an index over a MongoDB in trouble', { timeout: 120_000 }, () => {
  test('history that is lost while nobody read it, with deletes in it, is a gap, and reconciling ends it', async () => {
    const server = await ownServer(tinyHistory);
    const { rig, write } = await openMongoRig(server);
    await write({ 1: 'one', 2: 'two', 3: 'three' });
    await rig.sync();
    await write({ 1: null, 2: 'changed' });
    await fillHistory(server.client());
    await expect(rig.sync()).rejects.toMatchObject({
      problem: { reason: 'gap-detected', exit: 4, message: expect.stringMatching(/can no longer be read: The (server|stream) cannot go /) },
    });
    expect(await rig.sync({ rescan: true })).toMatchObject({ documents: 2 });
    expect(await rig.differences()).toEqual([]);
    expect((await rig.sync()).counts).toEqual({});
  });

  test('a young server has hardly any of its history to lose, and a tiny one that is full loses all of it', async () => {
    const server = await ownServer(tinyHistory);
    const { rig, write } = await openMongoRig(server);
    await write({ 1: 'one' });
    const read = await rig.changeFeed.read(null, 10);
    if (read.kind !== 'changes') throw new Error(read.message);
    await delay(2100);
    await write({ 1: 'two' });
    const young = await rig.changeFeed.lag(read.cursor);
    expect(young.behindMs).toBeGreaterThanOrEqual(1000);
    expect(young.windowUsed).toBeLessThan(0.2);
    await fillHistory(server.client());
    expect((await rig.changeFeed.lag(read.cursor)).windowUsed).toBeGreaterThan(0.9);
  });

  test('an idle collection beside a busy one keeps its place for longer than the history reaches back, without a write', async () => {
    const server = await ownServer(tinyHistory);
    const { rig, write, db } = await openMongoRig(server);
    await write({ 1: 'one' });
    const watch = startWatch(rig);
    await inStep(rig);
    await fillHistory(server.client());
    await fillHistory(server.client());
    watch.stop();
    await watch.ended;
    await write({ 1: 'changed', 2: 'two' });
    expect(await rig.sync()).toMatchObject({ documents: 2 });
    expect(await rig.differences()).toEqual([]);
    expect((await db.listCollections().toArray()).map(({ name }) => name)).toEqual(['articles']);
  });

  test('an older copy put in the place of the database is a gap, also once it has grown past the cursor', async () => {
    const server = await ownServer();
    const { rig, write, database } = await openMongoRig(server);
    const [member] = server.mongod().servers;
    const [data, copy] = [join(server.folder, 'member-0'), join(server.folder, 'copy')];
    await write({ 1: 'one', 2: 'two' });
    await rig.sync();
    await member!.kill('SIGTERM');
    await cp(data, copy, { recursive: true });
    await member!.start();
    await write({ 1: 'of a history that is lost', 3: 'three' });
    await delay(1100);
    await rig.sync();
    await member!.kill('SIGTERM');
    await rm(data, { recursive: true });
    await cp(copy, data, { recursive: true });
    await member!.start();
    await delay(1100);
    const { write: writeAgain, rig: other } = await openMongoRig(server, { name: database });
    for (let round = 0; round < 20; round += 1) await writeAgain({ 4: `grown ${round}` });
    await other.close();
    await expect(rig.sync()).rejects.toMatchObject({ problem: { reason: 'gap-detected', message: expect.stringMatching(/older copy/) } });
    await expect(rig.sync()).rejects.toMatchObject({ problem: { reason: 'gap-detected' } });
    expect(await rig.sync({ rescan: true })).toMatchObject({ documents: 3 });
    expect(await rig.differences()).toEqual([]);
  });

  test('a server that is killed and comes back is followed on by itself', async () => {
    const server = await ownServer();
    const { rig, write } = await openMongoRig(server);
    await write({ 1: 'one' });
    const watch = startWatch(rig);
    await inStep(rig);
    const [member] = server.mongod().servers;
    for (let round = 0; round < 2; round += 1) {
      await member!.kill('SIGKILL');
      await member!.start();
      await write({ 1: `after kill ${round}`, [10 + round]: 'new' });
      await inStep(rig);
    }
    watch.stop();
    expect(await watch.ended).toMatchObject({ documents: 3 });
    expect(await rig.differences()).toEqual([]);
  });

  test('a primary that steps down is followed to the next, and what a dead one had for itself alone is never indexed', async () => {
    const server = await ownServer({ members: 3 });
    const { rig, write: writeOnce, db } = await openMongoRig(server);
    const write = (texts: Parameters<typeof writeOnce>[0]) => vi.waitFor(() => writeOnce(texts), { timeout: 60_000, interval: 200 });
    const admin = server.client().db('admin');
    await write({ 1: 'one' });
    const watch = startWatch(rig);
    await inStep(rig);
    await admin.command({ replSetStepDown: 1, force: true }).catch(() => undefined);
    await write({ 1: 'under the next primary', 2: 'two' });
    await inStep(rig);

    const { primary } = (await admin.command({ hello: 1 })) as unknown as { readonly primary: string };
    const { servers } = server.mongod();
    const dying = servers.find(({ port }) => primary.endsWith(`:${port}`))!;
    const others = servers.filter((member) => member !== dying);
    await Promise.all(others.map((member) => member.kill('SIGKILL')));
    const alone = { writeConcern: { w: 1, journal: true } } as const;
    await db.collection<{ _id: number }>('articles').insertOne({ _id: 99, text: 'rolled back' } as { _id: number }, alone);
    await dying.kill('SIGKILL');
    await Promise.all(others.map((member) => member.start()));
    await write({ 1: 'under the third', 3: 'three' });
    await dying.start();
    await inStep(rig);
    await write({ 3: 'after the dead one is back' });
    await inStep(rig);
    watch.stop();
    expect(await watch.ended).toMatchObject({ documents: 3 });
    expect(await rig.differences()).toEqual([]);
    expect(await db.collection<{ _id: number }>('articles').findOne({ _id: 99 })).toBeNull();
  });
});
