import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { findBinary } from './find-binary.ts';
import { freePort, type ServerProcess, startServer } from './server-process.ts';

/** What kind of MongoDB a test wants. */
export interface MongodOptions {
  /** Members of the replica set; 0 is a standalone server, which has no change streams. 1 by default. */
  readonly members?: 0 | 1 | 3;
  /** More arguments of mongod, such as `--oplogSize 1`. */
  readonly args?: readonly string[];
}

/** A real MongoDB: one server, or a replica set whose first member is the primary when it starts. */
export interface StartedMongod {
  readonly url: string;
  readonly servers: readonly ServerProcess[];
  stop(): Promise<void>;
}

/** Starts MongoDB 6 in `folder` with small caches, and initiates its replica set. */
export async function startMongod(folder: string, options: MongodOptions = {}): Promise<StartedMongod> {
  const { members = 1, args = [] } = options;
  const servers: ServerProcess[] = [];
  for (let member = 0; member < Math.max(1, members); member++) {
    const [port, dbpath] = [await freePort(), join(folder, `member-${member}`)];
    await mkdir(dbpath, { recursive: true });
    const set = members === 0 ? [] : ['--replSet', 'twin'];
    const own = ['--dbpath', dbpath, '--port', `${port}`, '--bind_ip', '127.0.0.1', '--wiredTigerCacheSizeGB', '0.25', ...set];
    servers.push(await startServer({ binary: findBinary('mongod')!, args: [...own, ...args], port, folder: dbpath }));
  }
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`);
  if (members > 0) await initiate(hosts);
  return {
    url: `mongodb://${hosts.join(',')}/${members > 0 ? '?replicaSet=twin' : ''}`,
    servers,
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

async function initiate(hosts: readonly string[]): Promise<void> {
  const client = new MongoClient(`mongodb://${hosts[0]}/?directConnection=true`);
  try {
    const members = hosts.map((host, index) => ({ _id: index, host, priority: index === 0 ? 2 : 1 }));
    await client.db('admin').command({ replSetInitiate: { _id: 'twin', members, settings: { electionTimeoutMillis: 2000 } } });
    for (;;) {
      const hello = await client.db('admin').command({ hello: 1 });
      if (hello['isWritablePrimary'] === true) return;
      await delay(20);
    }
  } finally {
    await client.close();
  }
}
