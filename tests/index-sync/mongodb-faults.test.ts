import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ProblemError } from '../../src/contracts/problem.ts';
import type { SyncPoint } from '../../src/index-sync/apply.ts';
import { skipWithout } from '../support/python.ts';
import { findBinary } from '../support/services/find-binary.ts';
import { mongodOfFile } from '../support/services/mongo-documents.ts';
import { openMongoRig } from './mongodb-rig.ts';

const here = findBinary('mongod') !== null;
if (!here) skipWithout('mongod');

const numbered = (count: number, text: (id: number) => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, id) => [id, text(id)]));

describe.skipIf(!here)('an index over MongoDB', () => {
  const server = mongodOfFile();

  async function syncAndDie(folder: string, database: string, point: SyncPoint, occasion: number): Promise<NodeJS.Signals | null> {
    const puppet = join(import.meta.dirname, 'sync-and-die.ts');
    const child = spawn(process.execPath, [puppet, folder, point, String(occasion), 'clean-1', server.mongod().url, database], {
      stdio: 'ignore',
    });
    const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal;
  }

  test.each<[SyncPoint, number]>([
    ['before-batch', 2],
    ['after-embedding', 1],
    ['after-upsert', 1],
    ['after-applied', 1],
    ['before-cursor', 2],
  ])('what a kill -9 %s in the first read left behind is finished by the next process', async (point, occasion) => {
    const { rig, folder, database, write } = await openMongoRig(server, { onDisk: true });
    await write(numbered(150, (id) => `first\nline ${id}`));
    expect(await syncAndDie(folder, database, point, occasion)).toBe('SIGKILL');
    await write({ 7: null, 8: 'changed', 300: 'new' });
    expect(await rig.sync()).toMatchObject({ documents: 150 });
    expect(await rig.differences()).toEqual([]);
  });

  test.each<[SyncPoint, number]>([
    ['after-read', 2],
    ['after-intent', 1],
    ['after-remove', 1],
    ['after-batch', 1],
    ['after-cursor', 1],
  ])('what a kill -9 %s in the stream left behind is finished by the next process', async (point, occasion) => {
    const { rig, folder, database, write } = await openMongoRig(server, { onDisk: true });
    await write(numbered(150, (id) => `first\nline ${id}`));
    await rig.sync();
    await write(numbered(140, (id) => (id % 3 === 0 ? `second ${id}` : `first\nsecond\nline ${id}`)));
    await write({ 7: null, 8: null, 9: null, 300: 'new' });
    expect(await syncAndDie(folder, database, point, occasion)).toBe('SIGKILL');
    expect(await rig.sync()).toMatchObject({ documents: 148 });
    expect(await rig.differences()).toEqual([]);
  });

  test('a kill -9 while the alias moves is finished by the next process', async () => {
    for (const point of ['before-alias', 'after-alias'] as const) {
      const { rig, folder, database, write } = await openMongoRig(server, { onDisk: true });
      await write({ 1: 'one', 2: 'two' });
      expect(await syncAndDie(folder, database, point, 1)).toBe('SIGKILL');
      await rig.sync();
      expect(await rig.differences()).toEqual([]);
    }
  });

  test('a transaction of 500 documents, with a delete and a new insert of one id in it, killed half way, is applied whole', async () => {
    const { rig, folder, database, articles, write } = await openMongoRig(server, { onDisk: true });
    await write({ 0: 'old' });
    await rig.sync();
    await server.client().withSession((session) =>
      session.withTransaction(async () => {
        await articles.deleteOne({ _id: 0 }, { session });
        await articles.insertMany(
          Array.from({ length: 500 }, (_, _id) => ({ _id, text: `in one transaction ${_id}` })),
          { session },
        );
      }),
    );
    expect(await syncAndDie(folder, database, 'after-upsert', 2)).toBe('SIGKILL');
    expect(await rig.sync()).toMatchObject({ documents: 500, points: 500 });
    expect(await rig.differences()).toEqual([]);
  });

  test('inserts, updates and deletes while the first read goes through the documents are not lost, nor is what is deleted brought back', async () => {
    const { rig, write } = await openMongoRig(server);
    await write(numbered(2400, (id) => `text ${id}`));
    let page = 0;
    await rig.sync({
      async reached(point) {
        if (point !== 'before-batch' || (page += 1) > 4) return;
        await write({
          [page * 10]: null,
          [2399 - page]: null,
          [page * 10 + 1]: `changed ${page}`,
          [2300 + page]: `changed ${page}`,
          [5000 + page]: 'new',
        });
      },
    });
    expect(await rig.differences()).toEqual([]);
  });

  test('documents go from ten chunks to two, none and ten', async () => {
    const { rig, write } = await openMongoRig(server);
    for (const count of [10, 2, 0, 10]) {
      await write({ 1: Array.from({ length: count }, (_, at) => `line ${at}`).join('\n') || ' ' });
      expect((await rig.sync()).points).toBe(count);
      expect(await rig.differences()).toEqual([]);
    }
  });

  test('a document of 15.9 MB is followed when it is rewritten: its event holds no document', async () => {
    const { rig, write } = await openMongoRig(server);
    const large = (letter: string) => letter.repeat(16 * 1024 * 1024 - 100);
    // The old and the new document and the history of the change have to fit into the server's cache.
    await server.client().db('admin').command({ setParameter: 1, wiredTigerEngineRuntimeConfig: 'cache_size=1G' });
    await write({ 1: 'small' });
    await rig.sync();
    await write({ 1: large('x') });
    await write({ 1: large('y') });
    await write({ 2: 'after it' });
    expect(await rig.sync()).toMatchObject({ documents: 2, points: 2 });
    expect(await rig.differences()).toEqual([]);
  });

  test('documents without the mapped field, and unusual BSON, are put aside, and come in once they are mended', async () => {
    const { rig, articles, write } = await openMongoRig(server);
    await articles.insertMany([
      { _id: 1, title: 'no text' },
      { _id: 2, text: 'fine' },
    ]);
    expect(await rig.sync()).toMatchObject({ documents: 1, counts: { 'dead-letters': 1 } });
    const dead = 'articles:{"$numberInt":"1"}';
    expect((await (await rig.deadLetters()).get([{ tenant: 'default', id: dead }]))[0]).toMatchObject({
      cause: { reason: 'document-unmappable', where: expect.stringMatching(/articles: text$/) },
    });
    await write({ 1: 'mended' });
    expect(await rig.sync()).toMatchObject({ documents: 2 });
    expect(await (await rig.deadLetters()).count()).toBe(0);
    expect(await rig.differences()).toEqual([]);
  });

  const misfortunes = ['drop', 'rename', 'drop the database', 'drop and recreate with the same ids'] as const;

  /** An index in step with two articles, whose collection something befell; and how many documents there are now. */
  async function befallen(what: (typeof misfortunes)[number]) {
    const opened = await openMongoRig(server);
    const { rig, db, articles, write } = opened;
    await write({ 1: 'one\ntwo', 2: 'three' });
    const { generation } = await rig.sync();
    if (what === 'rename') await articles.rename('elsewhere');
    else if (what === 'drop the database') await db.dropDatabase();
    else await articles.drop();
    if (what !== 'drop and recreate with the same ids') return { ...opened, generation, documents: 0 };
    await write({ 1: 'another', 3: 'new' });
    return { ...opened, generation, documents: 2 };
  }

  test.each(misfortunes)('%s: the points stay until a person decides', async (what) => {
    const { rig, write, generation, documents } = await befallen(what);
    const held = { problem: { reason: 'namespace-held', exit: 4, message: expect.stringMatching(/ was (dropped|renamed)/) } };
    await expect(rig.sync()).rejects.toMatchObject(held);
    await expect(rig.sync()).rejects.toMatchObject(held);
    expect(await rig.vectorIndex.count(generation, 'default')).toBe(3);
    expect(await rig.sync({ rescan: true })).toMatchObject({ documents });
    await write({ 9: 'goes on' });
    expect(await rig.sync()).toMatchObject({ documents: documents + 1 });
    expect(await rig.differences()).toEqual([]);
  });

  test.each(misfortunes)('%s: the points go at once where the policy is to purge', async (what) => {
    const { rig, write, documents } = await befallen(what);
    expect(await rig.sync({ onNamespaceChange: 'purge' })).toMatchObject({ documents });
    expect(await rig.differences()).toEqual([]);
    await write({ 9: 'goes on' });
    expect(await rig.sync()).toMatchObject({ documents: documents + 1 });
    expect(await rig.differences()).toEqual([]);
  });

  test('a token of another cluster, a broken one, and one of another database are gaps; the right configuration ends the last', async () => {
    const { rig, database, write } = await openMongoRig(server);
    await write({ 1: 'one' });
    await rig.sync();
    const key = (await rig.metadataStore.scan('cursors', '', '', 1))[0]!.key;
    const stored = (await rig.metadataStore.get('cursors', [key]))[0]!.row as { cursor: { source: string; position: string } };
    const put = (cursor: object) =>
      rig.metadataStore.putMany('cursors', [
        { key, expectedRevision: null, row: { ...stored, gap: null, cursor: { ...stored.cursor, ...cursor } } },
      ]);
    const reasons = [];
    for (const cursor of [
      { source: `65f000000000000000000001/${database}` },
      { position: '{"token":"no token"}' },
      { position: 'no position' },
      { position: '{"token":"82FFFFFFFF000000012B0229296E04"}' },
      { position: '{"token":"826B07000000000001FFFF"}' },
    ]) {
      await put(cursor);
      reasons.push(
        await rig.sync().then(
          () => 'none',
          (error: unknown) => (error as ProblemError).problem.reason,
        ),
      );
    }
    expect(reasons).toEqual(Array.from({ length: 5 }, () => 'gap-detected'));
    await rig.metadataStore.putMany('cursors', [
      { key, expectedRevision: null, row: { ...stored, gap: { message: 'x', at: 0, otherStore: true } } },
    ]);
    expect(await rig.sync()).toMatchObject({ documents: 1 });
    await rig.metadataStore.putMany('cursors', [
      { key, expectedRevision: null, row: { ...stored, gap: { message: 'x', at: 0, otherStore: false } } },
    ]);
    await expect(rig.sync()).rejects.toMatchObject({ problem: { reason: 'gap-detected' } });
    expect(await rig.sync({ rescan: true })).toMatchObject({ documents: 1 });
    expect(await rig.sync()).toMatchObject({ documents: 1 });
    expect(await rig.differences()).toEqual([]);
  });

  test('an index that fails, is busy, or answers after it has done it, ends as if nothing had been', async () => {
    const { rig, write } = await openMongoRig(server);
    const { upsert, remove } = rig.ports.vectorIndex;
    let calls = 0;
    const unreliable = <Call extends (...given: never[]) => Promise<void>>(call: Call) =>
      async function (this: unknown, ...given: Parameters<Call>) {
        calls += 1;
        const trouble = new ProblemError({ reason: 'qdrant-unavailable', message: 'busy', exit: 1 });
        if (calls % 7 === 1) throw trouble;
        await call.apply(this, given);
        if (calls % 7 === 4) throw trouble;
      };
    Object.assign(rig.ports.vectorIndex, { upsert: unreliable(upsert), remove: unreliable(remove) });
    await write(numbered(300, (id) => `first\nline ${id}`));
    await rig.sync();
    await write(numbered(150, (id) => `second ${id}`));
    await rig.sync();
    expect(calls).toBeGreaterThan(5);
    expect(await rig.differences()).toEqual([]);
  }, 60_000);

  test.each([-3600_000, 3600_000])('a clock that is wrong by %i ms decides nothing', async (shift) => {
    const { rig, write } = await openMongoRig(server);
    await write({ 1: 'one', 2: 'two' });
    await rig.sync();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + shift });
    try {
      await write({ 1: 'changed', 2: null, 3: 'three' });
      await rig.sync();
    } finally {
      vi.useRealTimers();
    }
    await write({ 1: 'changed again', 3: null });
    expect(await rig.sync()).toMatchObject({ documents: 1 });
    expect(await rig.differences()).toEqual([]);
  });

  test('points that vanish behind our back are found by verifying, and written again by reconciling', async () => {
    const { rig, write } = await openMongoRig(server);
    await write({ 1: 'one\ntwo', 2: 'three' });
    const { generation } = await rig.sync();
    const points = await rig.vectorIndex.scroll(generation, '', 10);
    await rig.vectorIndex.remove(
      generation,
      'default',
      points.map(({ id }) => id),
      Number.MAX_SAFE_INTEGER,
    );
    expect((await rig.sync()).counts).toEqual({});
    expect((await rig.verify()).result).toMatchObject({ missing: 3 });
    expect((await rig.sync({ rescan: true })).counts).toMatchObject({ 'points-written': 3 });
    expect(await rig.differences()).toEqual([]);
  });
});
