import { onTestFinished } from 'vitest';
import type { Collection, Db, Document } from 'mongodb';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { MongodOfFile } from '../support/services/mongo-documents.ts';
import { mongoSource } from './mongodb-source.ts';
import { openRig, type Rig } from './rig.ts';

/** An article as tests write it. */
export interface Article extends Document {
  readonly _id: number;
  readonly text?: string;
}

/** A database of its own with articles of another application, and an index that is kept in step with them. */
export interface MongoRig {
  readonly rig: Rig;
  readonly folder: string;
  readonly database: string;
  readonly db: Db;
  readonly articles: Collection<Article>;
  /** Writes articles of one line an entry, on a majority. */
  write(texts: Readonly<Record<number, string | null>>): Promise<void>;
}

let databases = 0;

/** Opens a rig over a new database, or the named one. */
export async function openMongoRig(
  server: Pick<MongodOfFile, 'mongod' | 'client'>,
  { onDisk = false, name }: { readonly onDisk?: boolean; readonly name?: string } = {},
): Promise<MongoRig> {
  const folder = await temporaryFolder();
  const database = name ?? `faults-${process.pid}-${(databases += 1)}`;
  const rig = openRig(folder, { onDisk, source: mongoSource(server.mongod().url, database) });
  onTestFinished(() => rig.close());
  const db = server.client().db(database, { retryWrites: true });
  const articles = db.collection<Article>('articles', { writeConcern: { w: 'majority' } });
  return {
    rig,
    folder,
    database,
    db,
    articles,
    async write(texts) {
      const writes = Object.entries(texts).map(([id, text]) =>
        text === null
          ? { deleteOne: { filter: { _id: Number(id) } } }
          : { replaceOne: { filter: { _id: Number(id) }, replacement: { text }, upsert: true } },
      );
      await articles.bulkWrite(writes);
    },
  };
}
