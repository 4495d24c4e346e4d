import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { Embedder } from '../../src/ports/embedder.ts';

/** What an index holds in the course's way: one point a line, its id the MD5 of the text. */
export interface CourseIndex {
  readonly points: Map<string, { readonly document: number; readonly text: string }>;
  readonly seconds: number;
}

/**
 * The course's way, in our own words: a stream that tells of inserts alone, each message handled by itself, points named by the MD5 of their text,
 * no position kept. `work` writes to the source; `restarts` times the reader is gone for a moment and begins again at the present.
 */
export async function runCourse(
  url: string,
  database: string,
  embedder: Embedder,
  restarts: number,
  work: (part: number) => Promise<void>,
): Promise<CourseIndex> {
  const client = new MongoClient(url);
  const articles = client.db(database).collection<{ _id: number; text: string }>('articles');
  const points: CourseIndex['points'] = new Map();
  let seconds = 0;
  const read = async (during: () => Promise<void>): Promise<void> => {
    const stream = articles.watch([{ $match: { operationType: 'insert' } }]);
    let busy = 0;
    const reading = (async () => {
      for await (const event of stream) {
        if (event.operationType !== 'insert') continue;
        const started = performance.now();
        for (const text of event.fullDocument.text.split('\n')) {
          await embedder.embed([text]);
          points.set(createHash('md5').update(text).digest('hex'), { document: event.documentKey._id, text });
        }
        busy += performance.now() - started;
      }
    })().catch(() => undefined);
    await delay(200);
    await during();
    await delay(1000);
    await stream.close();
    await reading;
    seconds += busy / 1000;
  };
  try {
    for (let part = 0; part <= restarts; part += 1) {
      await read(() => work(2 * part));
      // Nobody reads meanwhile, and nobody will.
      await work(2 * part + 1);
    }
  } finally {
    await client.close();
  }
  return { points, seconds };
}

/** Lines of the documents as they are now that no point holds, and points of lines that are not there any more. */
export async function lossesOf(
  url: string,
  database: string,
  index: CourseIndex,
): Promise<{ readonly lost: number; readonly stale: number }> {
  const client = new MongoClient(url);
  try {
    const documents = await client.db(database).collection<{ _id: number; text: string }>('articles').find().toArray();
    const wanted = new Set(documents.flatMap(({ text }) => text.split('\n')));
    const held = new Set([...index.points.values()].map(({ text }) => text));
    const lost = [...wanted].filter((text) => !held.has(text)).length;
    return { lost, stale: [...held].filter((text) => !wanted.has(text)).length };
  } finally {
    await client.close();
  }
}
