import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { openSqliteMetadataStore } from '../src/adapters/metadata-store/sqlite.ts';
import { huggingFaceTokenizer } from '../src/adapters/tokenizer/hugging-face.ts';
import type { Change, Cursor } from '../src/ports/change-feed.ts';
import { chunkDocuments } from '../steps/feature/chunk-documents.ts';
import { cleanDocuments } from '../steps/feature/clean-documents.ts';
import { openBullWorkQueue } from '../src/adapters/work-queue/bullmq.ts';
import { mongoSource } from '../tests/index-sync/mongodb-source.ts';
import { openRig } from '../tests/index-sync/rig.ts';
import { hashEmbedder } from '../tests/support/hash-embedder.ts';
import { builtEnvironment } from '../tests/support/python.ts';
import { startMongod } from '../tests/support/services/mongod.ts';
import { startRedis } from '../tests/support/services/redis.ts';
import { bareLoop, capture, writeEvents } from './cdc/capture.ts';
import { lossesOf, runCourse } from './cdc/course.ts';
import { lags, percentile } from './cdc/lag.ts';
import { atMost, atMostTimes, type Figure, median } from './figure.ts';

const rounds = 3;
const events = 60_000;
type Report = (figure: Figure) => void;

/** Measures change data capture on a MongoDB of this machine: capture beside a bare driver, preparing documents, lag, writes saved, and the course's way. */
export async function measure(report: Report): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-cdc-bench-'));
  const mongod = await startMongod(folder, { args: ['--oplogSize', '990'] });
  try {
    await measureCapture(report, mongod.url, folder);
    await measurePreparing(report, mongod.url);
    await measureLag(report, mongod.url, folder);
    await measureWrites(report, mongod.url, folder);
    await measureCourse(report, mongod.url, folder);
  } finally {
    await mongod.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureCapture(report: Report, url: string, folder: string): Promise<void> {
  const source = mongoSource(url, 'capture');
  const redis = await startRedis(folder);
  const queue = openBullWorkQueue({ url: redis.url, prefix: 'bench', setting: 'workQueue.url' });
  const store = openSqliteMetadataStore({ file: join(folder, 'capture.db') });
  await writeEvents(url, 'capture', 1000);
  const start = await caughtUp(source.changeFeed);
  await writeEvents(url, 'capture', events);
  const { token } = JSON.parse(start.position) as { token: string };
  const [own, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const fresh = mongoSource(url, 'capture');
    own.push(await capture(fresh, store, queue, start, events));
    await fresh.changeFeed.close();
    await fresh.documentStore.close();
    bare.push(await bareLoop(url, 'capture', token, events));
  }
  const [rate, bareRate] = [median(own), median(bare)];
  report(atMost('capture of 60,000 small events, queued on Redis', 1e6 / rate, 'µs an event', 66.7));
  report(
    atMostTimes('capture of 60,000 small events, queued on Redis', 1e6 / rate, 'µs an event', 'bare driver loop', 1e6 / bareRate, 1.25),
  );
  await source.changeFeed.close();
  await source.documentStore.close();
  await store.close();
  await queue.close();
  await redis.stop();
}

/** The position behind everything that there is. */
async function caughtUp(feed: { read(cursor: Cursor | null, limit: number): Promise<unknown> }): Promise<Cursor> {
  for (let cursor: Cursor | null = null; ;) {
    const read = (await feed.read(cursor, 1024)) as { kind: string; cursor: Cursor; changes: readonly Change[]; more: boolean };
    ({ cursor } = read);
    if (!read.more && read.changes.length === 0) return cursor;
  }
}

/** Reading, cleaning and cutting documents of 20 KB by the functions of the feature pipeline, on one core. */
async function measurePreparing(report: Report, url: string): Promise<void> {
  const runtime = builtEnvironment();
  if (runtime === null) return;
  const tokenizer = await huggingFaceTokenizer(runtime);
  const source = mongoSource(url, 'preparing');
  const client = new MongoClient(url);
  const paragraph = (at: number) =>
    `Paragraph ${at} says that the ledger of document ${at * 7} is kept in order, and that nothing in it is lost or doubled.`;
  const text = Array.from({ length: 180 }, (_, at) => (at % 12 === 0 ? `## Part ${at}` : paragraph(at))).join('\n\n');
  const bytes = Buffer.byteLength(text);
  const count = 400;
  const articles = client.db('preparing').collection<{ _id: number; text: string }>('articles');
  await articles.insertMany(Array.from({ length: count }, (_, at) => ({ _id: at, text: `${text}\n\nNumber ${at}.` })));
  await client.close();
  const tools = { ports: { tokenizer }, signal: new AbortController().signal, log: () => undefined, count: () => undefined };
  const rates: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    let after: { tenant: string; id: string } | undefined;
    for (let done = 0; done < count;) {
      const page = await source.documentStore.scan({ limit: 64, ...(after && { after }) });
      for (const document of page) {
        const cleaned = await cleanDocuments.run!({ row: document, params: {}, ...tools } as never);
        await chunkDocuments.run!({ row: cleaned, params: { maxTokens: 254, overlapTokens: 32 }, ...tools } as never);
      }
      done += page.length;
      after = page.at(-1)!;
    }
    rates.push((count * bytes) / 1e6 / ((performance.now() - started) / 1000));
  }
  report(atMost('read, clean and cut documents of 20 KB (at least 30 MB/s)', 1000 / median(rates), 'ms a MB', 33.3));
  await source.changeFeed.close();
  await source.documentStore.close();
}

async function measureLag(report: Report, url: string, folder: string): Promise<void> {
  for (const journal of [false, true]) {
    const database = `lag-${journal}`;
    const rig = openRig(join(folder, database), { source: mongoSource(url, database) });
    const { own, delivered } = await lags(rig, url, database, 100, 10, journal);
    for (const [share, name, limit] of [
      [0.5, 'p50', 30],
      [0.99, 'p99', 150],
    ] as const) {
      const [mine, its] = [percentile(own, share), percentile(delivered, share)];
      const figure = `lag at 100 writes a second${journal ? ', journaled' : ''}, ${name}: above what MongoDB's own delivery takes (${its.toFixed(1)} ms)`;
      report(atMost(figure, Math.max(0, mine - its), 'ms', limit));
    }
    await rig.close();
  }
}

async function measureWrites(report: Report, url: string, folder: string): Promise<void> {
  const rig = openRig(join(folder, 'writes'), { source: mongoSource(url, 'writes') });
  const client = new MongoClient(url);
  const articles = client.db('writes').collection<{ _id: number; text: string }>('articles', { writeConcern: { w: 1 } });
  const lines = (at: number) => Array.from({ length: 5 }, (_, line) => `line ${line} of ${at}`);
  await articles.insertMany(Array.from({ length: 1000 }, (_, at) => ({ _id: at, text: lines(at).join('\n') })));
  await acknowledged(client);
  await rig.sync();
  for (let at = 0; at < 300; at += 1)
    await articles.updateOne({ _id: at }, { $set: { text: lines(at).with(2, `changed ${at}`).join('\n') } });
  for (let at = 300; at < 600; at += 1) await articles.replaceOne({ _id: at }, { text: lines(at).join('\n') });
  await acknowledged(client);
  const { counts } = await rig.sync();
  // A payload names the revision of its document, so that all five chunks of an edited document differ, and one text is new.
  const what = '(300 documents of five chunks edited in one, 300 saved unchanged)';
  report(atMost(`points written a chunk whose payload changed ${what}`, (counts['points-written'] ?? 0) / 1500, 'points', 1.05));
  report(atMost('texts embedded a text that was not in the cache', (counts['embedded'] ?? 0) / 300, 'texts', 1));
  await client.close();
  await rig.close();
}

/** Returns once all that was written before is committed by the set: until then a reader of changes need not see it. */
async function acknowledged(client: MongoClient): Promise<void> {
  await client
    .db('marker')
    .collection<{ _id: number }>('marker')
    .replaceOne({ _id: 1 }, { at: Date.now() }, { upsert: true, writeConcern: { w: 'majority' } });
}

/** The same writes, followed in the course's way and in twin's, with readers that are gone for a moment three times. */
async function measureCourse(report: Report, url: string, folder: string): Promise<void> {
  const work = (client: MongoClient, database: string) => async (part: number) => {
    const articles = client.db(database).collection<{ _id: number; text: string }>('articles', { writeConcern: { w: 1 } });
    for (let at = 0; at < 100; at += 1) {
      const _id = part * 100 + at;
      await articles.insertOne({ _id, text: `first of ${_id}\nsecond of ${_id}` });
      if (at % 4 === 1) await articles.updateOne({ _id }, { $set: { text: `first of ${_id}\nsecond of ${_id}, changed` } });
      if (at % 10 === 2) await articles.deleteOne({ _id });
    }
  };
  const client = new MongoClient(url);
  const course = await runCourse(url, 'course', hashEmbedder(), 3, work(client, 'course'));
  const { lost, stale } = await lossesOf(url, 'course', course);
  const rig = openRig(join(folder, 'course'), { source: mongoSource(url, 'beside') });
  const write = work(client, 'beside');
  for (let part = 0; part < 8; part += 1) {
    await write(part);
    await acknowledged(client);
    if (part % 2 === 0) await rig.sync();
  }
  await rig.sync();
  const wrong = (await rig.differences()).length;
  report(atMost('points missing or stale after 800 inserts, 200 updates, 80 deletes and four absences of the reader', wrong, 'points', 0));
  report({
    ...atMost("the same in the course's way (inserts alone, MD5 ids, no position kept)", lost + stale, 'points', Infinity),
    target: `told: ${lost} lost, ${stale} stale`,
  });
  await rig.close();
  await client.close();
}
