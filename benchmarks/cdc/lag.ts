import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { watchChanges } from '../../src/index-sync/watch.ts';
import type { Rig } from '../../tests/index-sync/rig.ts';

/** What a percentile of changes took, in milliseconds. */
export interface Lags {
  readonly own: readonly number[];
  readonly delivered: readonly number[];
}

/**
 * From the sending of a write to its points in the index, and beside it to its event in a bare change stream of the same process; writes come
 * evenly, so many a second, acknowledged by the journal or before it.
 */
export async function lags(rig: Rig, url: string, database: string, perSecond: number, seconds: number, journal: boolean): Promise<Lags> {
  const client = new MongoClient(url);
  const articles = client.db(database).collection<{ _id: number; text: string }>('articles', { writeConcern: { w: 1, j: journal } });
  const [written, own, delivered] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const note = (into: Map<string, number>, text: string): void => {
    if (!into.has(text)) into.set(text, performance.now());
  };
  const vectorIndex = {
    ...rig.ports.vectorIndex,
    async upsert(...args: Parameters<Rig['ports']['vectorIndex']['upsert']>) {
      await rig.ports.vectorIndex.upsert(...args);
      for (const { payload } of args[2]) note(own, payload.text);
    },
  };
  const bare = articles.watch([{ $match: { operationType: 'insert' } }]);
  const listening = (async () => {
    for await (const event of bare) if (event.operationType === 'insert') note(delivered, event.fullDocument.text);
  })().catch(() => undefined);
  const stop = new AbortController();
  const watching = watchChanges({ ...rig.options, stop: stop.signal, status: () => undefined }, { ...rig.ports, vectorIndex });
  await delay(1500);
  for (let at = 0; at < perSecond * seconds; at += 1) {
    const text = `lag ${at} ${perSecond}`;
    written.set(text, performance.now());
    await articles.insertOne({ _id: 1_000_000 + at, text });
    await delay(Math.max(0, written.get(text)! + 1000 / perSecond - performance.now()));
  }
  await delay(1500);
  stop.abort();
  await watching;
  await bare.close();
  await listening;
  await client.close();
  const after = (times: Map<string, number>) =>
    [...written].flatMap(([text, at]) => (times.has(text) ? Math.max(0, times.get(text)! - at) : []));
  const [reached, seen] = [after(own), after(delivered)];
  if (reached.length < written.size) throw new Error(`${written.size - reached.length} of ${written.size} writes never reached the index`);
  return { own: reached, delivered: seen };
}

/** The value below which a share of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  return values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))]!;
}
