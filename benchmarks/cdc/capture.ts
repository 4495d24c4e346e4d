import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import type { Cursor } from '../../src/ports/change-feed.ts';
import type { BatchContext } from '../../src/index-sync/change-batch.ts';
import { StateKeeper } from '../../src/index-sync/cursor.ts';
import { batchKeys, Follower } from '../../src/index-sync/follower.ts';
import { changesLane } from '../../src/index-sync/hand-over.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import type { WorkQueue } from '../../src/ports/work-queue.ts';
import type { RigSource } from '../../tests/index-sync/rig.ts';

/** Batches that are put into the queue at once, as for four workers of two slots. */
const lanes = 8;
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

/**
 * Events a second of a follower from a position to where nothing is left: it reads, merges by key, puts each batch of keys into the queue, and keeps
 * the cursor on disk. Nobody takes the batches: what applying them costs is no part of this.
 */
export async function capture(
  { changeFeed }: RigSource,
  store: MetadataStore,
  queue: WorkQueue,
  from: Cursor,
  events: number,
): Promise<number> {
  const keeper = await StateKeeper.open(store, `capture-${Math.random()}`);
  await keeper.save({ cursor: from });
  const follower = new Follower({
    changeFeed,
    keeper,
    batch: {} as BatchContext,
    lanes: () => lanes,
    keysOf: () => batchKeys,
    async apply(changes, settled) {
      const item = {
        kind: 'change-batch',
        batch: `bench/${randomUUID()}`,
        handed: 1,
        pipeline: 'feature-pipeline',
        generation: 'bench',
        changes,
      } as const;
      await queue.enqueue([item], changesLane('bench'));
      settled(changes.map(({ key, version }) => ({ key, version, dead: false })));
    },
  });
  const started = performance.now();
  await follower.catchUp();
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
