import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { SyncPoint } from '../src/index-sync/apply.ts';
import { randomFrom } from '../src/metrics/random.ts';
import { mongoSource } from '../tests/index-sync/mongodb-source.ts';
import { openRig } from '../tests/index-sync/rig.ts';
import { startMongod } from '../tests/support/services/mongod.ts';
import type { Soak } from './soak.ts';

const points: readonly SyncPoint[] = [
  'before-batch',
  'after-read',
  'after-embedding',
  'after-intent',
  'after-upsert',
  'after-remove',
  'after-applied',
  'after-batch',
  'before-cursor',
  'after-cursor',
  'before-alias',
  'after-alias',
];
const ids = 400;
const rounds = 12;
const puppet = join(import.meta.dirname, '../tests/index-sync/sync-and-die.ts');

/**
 * A MongoDB whose articles are written, rewritten, deleted and brought back while processes that follow them are killed at named points and at any
 * moment, two at once now and then, and the server itself is killed as well. In the end one process catches up, and the oracle has nothing to say.
 */
export const soak: Soak = async (seed, { folder, signal, progress }) => {
  const source = randomFrom(seed);
  const random = () => source.uint32() / 2 ** 32;
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const mongod = await startMongod(folder);
  const client = new MongoClient(mongod.url, { serverSelectionTimeoutMS: 60_000 });
  const database = `soak-${seed}`;
  const articles = client.db(database).collection<{ _id: number }>('articles', { writeConcern: { w: 'majority' } });
  let [writes, kills, serverKills] = [0, 0, 0];

  const write = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      const _id = Math.floor(random() * ids);
      const kind = random();
      const text = Array.from({ length: Math.floor(random() * 6) }, () => `line ${Math.floor(random() * 40)}`).join('\n');
      const change =
        kind < 0.2
          ? () => articles.deleteOne({ _id })
          : kind < 0.3
            ? () => articles.updateOne({ _id }, { $set: { title: `title ${at}` } })
            : () => articles.replaceOne({ _id }, { text }, { upsert: true });
      // A write that the server did not answer may have been done or not: the oracle asks the server.
      await change().catch(() => delay(200));
      writes += 1;
    }
  };
  const follow = async (): Promise<void> => {
    const point = pick(points);
    const child = spawn(process.execPath, [puppet, folder, point, String(1 + Math.floor(random() * 3)), 'clean-1', mongod.url, database], {
      stdio: 'ignore',
    });
    const killAfter = random() < 0.4 ? 300 + random() * 1500 : null;
    const timer = killAfter === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfter);
    const [, ended] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (timer !== null) clearTimeout(timer);
    if (ended === 'SIGKILL') kills += 1;
  };

  try {
    for (let round = 0; round < rounds && !signal.aborted; round += 1) {
      const followers = random() < 0.3 ? [follow(), follow()] : [follow()];
      const killing =
        random() < 0.2
          ? delay(random() * 1000).then(async () => {
              await mongod.servers[0]!.kill('SIGKILL');
              serverKills += 1;
              await mongod.servers[0]!.start();
            })
          : Promise.resolve();
      await Promise.all([...followers, write(60 + Math.floor(random() * 200)), killing]);
      progress('rounds of writes and kills', round + 1, rounds);
    }
    const rig = openRig(folder, { onDisk: true, source: mongoSource(mongod.url, database) });
    await rig.sync();
    const violations = await rig.differences();
    const again = (await rig.sync()).counts['points-written'] ?? 0;
    await rig.close();
    const did = `${writes} writes, ${kills} followers and ${serverKills} servers killed`;
    return { did, violations: [...violations, ...(again > 0 ? [`the second time wrote ${again} points`] : [])] };
  } finally {
    await client.close();
    await mongod.stop();
  }
};
