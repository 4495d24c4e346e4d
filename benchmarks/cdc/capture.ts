import { MongoClient } from 'mongodb';
import type { Cursor } from '../../src/ports/change-feed.ts';
import { StateKeeper } from '../../src/index-sync/cursor.ts';
import { Ledger } from '../../src/index-sync/ledger.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import type { RigSource } from '../../tests/index-sync/rig.ts';

/** Keys read from the feed at once, as the follower reads them. */
const keysAtOnce = 1024;
/** The cursor is written so often while changes come, as the follower does. */
const saveEveryMs = 500;
/** A bare loop stops once the stream has been silent for so long. */
const silentMs = 300;

/** Writes small events: updates of documents that are there. */
export async function writeEvents(url: string, database: string, count: number): Promise<void> {
  const client = new MongoClient(url);
  // A write that changes nothing is no event.
  const stamp = Math.random();
  try {
    const articles = client.db(database).collection<{ _id: number }>('articles');
    for (let done = 0; done < count; done += 1000) {
      const writes = Array.from({ length: Math.min(1000, count - done) }, (_, at) => ({
        updateOne: { filter: { _id: (done + at) % 5000 }, update: { $set: { text: `text ${done + at} ${stamp}` } }, upsert: true },
      }));
      await articles.bulkWrite(writes, { ordered: false });
    }
  } finally {
    await client.close();
  }
}

/** Events a second of reading, merging by key, and keeping the cursor on disk, from a position to where nothing is left. */
export async function capture({ changeFeed }: RigSource, store: MetadataStore, from: Cursor, events: number): Promise<number> {
  const keeper = await StateKeeper.open(store, `capture-${Math.random()}`);
  const queue = new Map<string, number>();
  const started = performance.now();
  let [cursor, savedAt]: [Cursor, number] = [from, started];
  for (let more = true; more;) {
    const read = await changeFeed.read(cursor, keysAtOnce);
    if (read.kind !== 'changes') throw new Error(read.message);
    for (const { key, version } of read.changes) queue.set(Ledger.key(key), version);
    ({ cursor, more } = read);
    if (performance.now() - savedAt < saveEveryMs) continue;
    await keeper.save({ cursor });
    savedAt = performance.now();
  }
  await keeper.save({ cursor });
  return (events / (performance.now() - started)) * 1000;
}

/** Events a second of the driver's own loop over the same stream, with the same projection; nothing is kept. */
export async function bareLoop(url: string, database: string, resumeAfter: string, events: number): Promise<number> {
  const client = new MongoClient(url);
  try {
    const stream = client.db(database).watch([{ $project: { _id: 1, operationType: 1, clusterTime: 1, ns: 1, documentKey: 1 } }], {
      startAfter: { _data: resumeAfter },
      maxAwaitTimeMS: silentMs,
      batchSize: 4096,
    });
    await stream.tryNext();
    const started = performance.now();
    let [seen, last] = [1, started];
    while (seen < events) {
      const event = await stream.tryNext();
      if (event !== null) [seen, last] = [seen + 1, performance.now()];
      else if (performance.now() - last > 10 * silentMs) throw new Error(`The bare loop saw ${seen} of ${events} events`);
    }
    const rate = (seen / (last - started)) * 1000;
    await stream.close();
    return rate;
  } finally {
    await client.close();
  }
}
