import type { Db, Timestamp } from 'mongodb';
import { collectionNames, type MongoDocuments } from './mongodb-documents.ts';
import { mongoCode } from './mongodb-problem.ts';
import { versionOf } from './mongodb-version.ts';

/** How long the history may be searched for the last change of our collections. */
const searchMs = 2000;

/**
 * The time of the last change of a collection that holds documents, out of the server's history, read backwards. Where the last change has left the
 * history, its oldest entry stands in; where the history may not be read, or is too long, the present does. Both are never equal over a change.
 */
export async function lastChangeVersion(db: Db, documents: MongoDocuments): Promise<number> {
  const hello = (await db.admin().command({ hello: 1 })) as {
    readonly localTime: Date;
    readonly lastWrite?: { readonly majorityOpTime: { readonly ts: Timestamp } };
  };
  if (documents.standalone === true || hello.lastWrite === undefined) return hello.localTime.getTime();
  const names = collectionNames(documents).map((name) => `${db.databaseName}.${name}`);
  const history = db.client.db('local').collection<{ ts: Timestamp }>('oplog.rs');
  const ours = {
    $or: [
      { ns: { $in: names }, op: { $in: ['i', 'u', 'd'] } },
      { op: 'c', ns: `${db.databaseName}.$cmd` },
      { op: 'c', 'o.applyOps.ns': { $in: names } },
    ],
  };
  const options = { projection: { ts: 1 }, maxTimeMS: searchMs, sort: { $natural: -1 as const } };
  try {
    const last = (await history.findOne(ours, options)) ?? (await history.findOne({}, { ...options, sort: { $natural: 1 } }));
    if (last) return versionOf(last.ts);
  } catch (error) {
    const code = mongoCode(error);
    // Not allowed, or too long a search.
    if (code !== 13 && code !== 50) throw error;
  }
  return versionOf(hello.lastWrite.majorityOpTime.ts);
}
