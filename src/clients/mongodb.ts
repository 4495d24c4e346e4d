import { setTimeout as delay } from 'node:timers/promises';
import type { Db, MongoClient, MongoClientOptions } from 'mongodb';
import { ProblemError } from '../contracts/problem.ts';
import { LostCalls } from './lost-calls.ts';
import { asMongoProblem, hostsOf, isPassingMongoError, type MongoPlace, noReplicaSet, wrongVersion } from './mongodb-problem.ts';

/** A write that survives the loss of any minority of servers, and power: on the disks of a majority before it is acknowledged. */
export const majority = { w: 'majority', journal: true } as const;
/** A write that may be lost with the server: of caches alone. */
export const acknowledged = { w: 1, journal: false } as const;

/** Wire version of MongoDB 6.0. */
const oldestWireVersion = 17;
const firstPauseMs = 30;
const lastPauseMs = 1000;
/** Longer than any call to a server that lives takes, and short beside the patience. */
const answerMs = 5000;

/** How a database is reached. Nothing is opened before it is needed. */
export interface MongoOptions extends MongoPlace {
  readonly database: string;
  /** How long a server may stay away before the first answer, and later; 8 and 30 seconds by default. */
  readonly firstPatienceMs?: number;
  readonly patienceMs?: number;
  readonly client?: MongoClientOptions;
  /** A server without a replica set will do. */
  readonly standalone?: boolean;
  /** Looks at the database once, when it has been connected to; throws where its content cannot be used. */
  readonly accept?: (db: Db) => Promise<void>;
}

/** A database of a MongoDB replica set: connected and checked at the first use, closed once. Its errors are problems without secrets. */
export class MongoDatabase {
  readonly place: MongoPlace;
  readonly #options: MongoOptions;
  readonly #calls = new LostCalls(answerMs);
  #opening: Promise<MongoClient> | null = null;
  #closed = false;

  constructor(options: MongoOptions) {
    this.#options = options;
    this.place = options;
  }

  /** The connected client, of a server that can do what twin needs. */
  client(): Promise<MongoClient> {
    if (this.#opening !== null) return this.#opening;
    if (this.#closed) return Promise.reject(new Error(`The connection to the ${this.place.subject} is closed`));
    const opening = this.#connect();
    this.#opening = opening;
    // A server that could not be reached is tried again at the next call.
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = null;
    });
    return opening;
  }

  /** The database, once connected. */
  async db(): Promise<Db> {
    return (await this.client()).db(this.#options.database);
  }

  /** Does `work`, once; what a user can act on is thrown as a problem. */
  async once<Value>(work: (db: Db) => Promise<Value>): Promise<Value> {
    try {
      return await this.#calls.answerOf(work(await this.db()));
    } catch (error) {
      throw asMongoProblem(error, this.place);
    }
  }

  /** Does `work` again while the server is away: it must come to the same however often it has taken effect. */
  async patiently<Value>(work: (db: Db) => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    const { patienceMs = 30_000 } = this.#options;
    const end = performance.now() + patienceMs;
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, lastPauseMs)) {
      const db = await this.db();
      try {
        return await this.#calls.answerOf(work(db));
      } catch (error) {
        if (this.#closed || !isPassingMongoError(error) || performance.now() + pause > end) throw asMongoProblem(error, this.place);
      }
      // Half of it by chance, so that those whom one failure hit do not come back together.
      await delay(pause / 2 + (Math.random() * pause) / 2, undefined, signal && { signal });
    }
  }

  /** The answer of a call that is made outside of `once` and `patiently`; an error that passes where its connection is gone. */
  answerOf<Value>(call: Promise<Value>): Promise<Value> {
    return this.#calls.answerOf(call);
  }

  /** Closes the connection; a second call does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = null;
    const client = await opening?.catch(() => null);
    await client?.close();
  }

  async #connect(): Promise<MongoClient> {
    const { url, firstPatienceMs = 8000, client: own } = this.#options;
    let client: MongoClient | null = null;
    try {
      const { MongoClient: Client } = await import('mongodb');
      client = new Client(url, {
        appName: 'twin',
        connectTimeoutMS: 5000,
        serverSelectionTimeoutMS: firstPatienceMs,
        heartbeatFrequencyMS: 2000,
        retryWrites: true,
        retryReads: true,
        ...own,
      });
      client.on('connectionPoolCleared', () => this.#calls.broke());
      await client.connect();
      await this.#check(client);
      await this.#options.accept?.(client.db(this.#options.database));
      return client;
    } catch (error) {
      await client?.close().catch(() => undefined);
      const problem = asMongoProblem(error, this.place);
      // Nobody has got an answer from it yet: the configuration is as likely to be wrong as the server to be down.
      if (problem instanceof ProblemError && problem.problem.reason === 'mongodb-unreachable') {
        const hint = `Start it, or correct ${this.place.setting}.`;
        throw new ProblemError({ ...problem.problem, hint, exit: 2 }, { cause: problem.cause });
      }
      throw problem;
    }
  }

  async #check(client: MongoClient): Promise<void> {
    const hello = await client.db('admin').command({ hello: 1 });
    const hosts = hostsOf(this.place.url);
    const { setting } = this.place;
    if ((hello['maxWireVersion'] as number) < oldestWireVersion) {
      const info = await client.db('admin').command({ buildInfo: 1 });
      throw new ProblemError(wrongVersion(hosts, setting, `version ${String(info['version'])}`));
    }
    // A sharded cluster answers through mongos, which stands before replica sets.
    if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid' && this.#options.standalone !== true) {
      throw new ProblemError(noReplicaSet(hosts, setting, 'a standalone server'));
    }
  }
}
