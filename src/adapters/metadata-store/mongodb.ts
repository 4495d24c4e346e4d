import type { Db } from 'mongodb';
import { acknowledged, majority, MongoDatabase, type MongoOptions } from '../../clients/mongodb.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { MetadataStore } from '../../ports/metadata-store.ts';
import { mongoRows } from './mongodb-rows.ts';
import { mongoStreams } from './mongodb-streams.ts';

/** Version of what is stored, raised when an older twin could not read it. */
const schemaVersion = 1;

/** Where a metadata store lies, and whether it may lose writes. */
export interface MongoMetadataStoreOptions extends MongoOptions {
  /** A cache: its writes may be lost with the server, and its collections carry another name. */
  readonly cache?: boolean;
}

/**
 * The metadata store in a database of a MongoDB replica set, shared by every host. Its clock is the primary's.
 * Whatever the durability asked for, a write is on the disks of a majority before it is acknowledged: a journal of which
 * a lost server takes the end would let a step be committed twice. Many small writes share that wait. A cache waits for nobody.
 */
export function openMongoMetadataStore(options: MongoMetadataStoreOptions): MetadataStore {
  const prefix = options.cache === true ? 'cache-' : '';
  const concern = options.cache === true ? acknowledged : majority;
  const schemaOf = (db: Db) => db.collection<{ readonly _id: string; readonly version: number }>(`${prefix}schema`);
  const accept = async (db: Db): Promise<void> => {
    const { version = 0 } = (await schemaOf(db).findOne({ _id: 'twin' })) ?? {};
    if (version > schemaVersion) throw newer(options, version);
  };
  const database = new MongoDatabase({ ...options, accept });

  // Nothing is made before the first write: reading leaves no trace.
  const makeReady = () =>
    database.patiently(async (db) => {
      await schemaOf(db).updateOne({ _id: 'twin' }, { $setOnInsert: { version: schemaVersion } }, { upsert: true });
      await db.collection(`${prefix}records`).createIndex({ name: 1 }, { sparse: true });
    });
  let readying: Promise<void> | null = null;
  const prepare = (): Promise<void> => {
    if (readying !== null) return readying;
    const making = makeReady();
    readying = making;
    making.catch(() => (readying = null));
    return making;
  };

  const streams = mongoStreams(database, `${prefix}records`, concern, prepare);
  const rows = mongoRows(database, `${prefix}rows`, concern, prepare);
  return {
    capabilities: { shared: true },
    append: streams.append,
    read: streams.read,
    streams: streams.streams,
    putMany: rows.putMany,
    get: rows.get,
    scan: rows.scan,
    clear: rows.clear,
    purge: rows.purge,
    now: async () => ((await database.patiently((db) => db.command({ hello: 1 })))['localTime'] as Date).getTime(),
    async close() {
      await Promise.all([streams.settled(), rows.settled()]);
      await database.close();
    },
  };
}

function newer({ subject, setting, database }: MongoMetadataStoreOptions, version: number): ProblemError {
  return new ProblemError({
    reason: 'state-newer',
    message: `The ${subject} in the database ${database} was written by a newer twin`,
    where: setting,
    expected: `schema version ${schemaVersion} or lower`,
    found: `schema version ${version}`,
    hint: 'Install the newer twin on this host, or name another database. Nothing was changed.',
    exit: 2,
  });
}
