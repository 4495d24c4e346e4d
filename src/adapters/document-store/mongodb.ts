import { setTimeout as delay } from 'node:timers/promises';
import type { AnyBulkWriteOperation, BSON, ClientSession, Collection, Db, Filter, Timestamp } from 'mongodb';
import { acknowledged, majority } from '../../clients/mongodb.ts';
import { clusterIdentity, type MongoDocuments, MongoKeys, type OwnId } from '../../clients/mongodb-documents.ts';
import { lastVersion } from '../../clients/mongodb-history.ts';
import { lastChangeVersion } from '../../clients/mongodb-last-change.ts';
import { isProblem, type MappedCollection } from '../../clients/mongodb-mapping.ts';
import { mongoCode } from '../../clients/mongodb-problem.ts';
import { documentReader } from '../../clients/mongodb-reader.ts';
import { versionOf } from '../../clients/mongodb-version.ts';
import { canonicalJson, sha256 } from '../../contracts/digest.ts';
import type { Document, StoredDocument } from '../../contracts/document.ts';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import type { DocumentKey, DocumentRead, DocumentStore } from '../../ports/document-store.ts';

/** A document as twin keeps it: beside its key as `_id`, so that changes and scans go by (tenant, id). */
type OwnDocument = StoredDocument & { readonly _id: OwnId };

/** MongoDB's limit for a document, less what is added to a content. */
const contentBytes = 16 * 1024 * 1024 - 64 * 1024;
const snapshotTries = 100;
const snapshotPauseMs = 50;

/**
 * Documents in a MongoDB database: those that twin collects in a collection of its own, and those of other applications where they are, by a
 * mapping. Reads see a snapshot that a majority has, and its cluster time is their version.
 */
export function openMongoDocumentStore(documents: MongoDocuments): DocumentStore {
  const { database, namespaces } = documents;
  const own = (db: Db): Collection<OwnDocument> => db.collection<OwnDocument>(documents.collection);
  const write = documents.standalone === true ? acknowledged : majority;
  let opened: Promise<{ readonly bson: typeof BSON; readonly keys: MongoKeys }> | null = null;
  const open = () => (opened ??= import('mongodb').then(({ BSON: bson }) => ({ bson, keys: new MongoKeys(documents, bson.EJSON) })));
  let indexed: Promise<unknown> | null = null;

  /** Reads within one snapshot; a snapshot from before a collection was made is given up for a newer one. */
  async function atSnapshot<Value>(read: (db: Db, session: ClientSession | null) => Promise<Value>): Promise<[Value, number]> {
    const client = await database.client();
    return database.patiently(async (db) => {
      if (documents.standalone === true) {
        // No clock of the cluster, and no snapshot: the server's own clock, read first, is the best there is.
        const { localTime } = (await db.admin().command({ hello: 1 })) as { localTime: Date };
        return [await read(db, null), localTime.getTime()];
      }
      let before: number | null = null;
      for (let tries = 1; ; tries++) {
        const session = client.startSession({ snapshot: true });
        try {
          const value = await read(db, session);
          const { snapshotTime } = session as unknown as { readonly snapshotTime?: Timestamp };
          if (snapshotTime !== undefined) return [value, versionOf(snapshotTime)];
          // Collections that are not there have no snapshot: then the time before the read stands in, which is old enough.
          if (before !== null) return [value, before];
          before = (await lastVersion(db)).majority;
          continue;
        } catch (error) {
          const code = mongoCode(error);
          if ((code !== 246 && code !== 239) || tries === snapshotTries) throw error;
        } finally {
          await session.endSession();
        }
        await delay(snapshotPauseMs);
      }
    });
  }

  return {
    async put(given) {
      const { keys } = await open();
      if (given.length === 0) return [];
      const prepared = given.map((one) => prepare(one, keys));
      return database.patiently(async (db) => {
        indexed ??= own(db).createIndex({ origin: 1, _id: 1 });
        await indexed;
        const ids = prepared.map(({ _id }) => _id);
        const known = new Map<string, string>();
        const found = own(db).find({ _id: { $in: ids } }, { projection: { revision: 1 } });
        for await (const { _id, revision } of found) known.set(nameOf(_id), revision);
        const writes = new Map<string, AnyBulkWriteOperation<OwnDocument>>();
        const outcomes = prepared.map(({ _id, document, revision }) => {
          const name = nameOf(_id);
          const before = known.get(name);
          if (before === revision) return 'unchanged';
          known.set(name, revision);
          const fields = { ...document, revision, ...(documents.standalone === true ? { changedAt: new Date() } : {}) };
          writes.set(name, { updateOne: { filter: { _id }, update: { $set: fields, $setOnInsert: { vanished: false } }, upsert: true } });
          return before === undefined ? 'inserted' : 'updated';
        });
        if (writes.size > 0) await own(db).bulkWrite([...writes.values()], { ordered: false, writeConcern: write });
        return outcomes;
      });
    },

    async get(keysGiven) {
      const { bson, keys } = await open();
      if (keysGiven.length === 0) return [];
      const reader = documentReader(bson, keys, await database.db());
      const places = keysGiven.map((key) => keys.mapped(key));
      const [found, version] = await atSnapshot(async (db, session) => {
        const read = new Map<string, StoredDocument | Problem>();
        const options = session === null ? {} : { session };
        const ownIds = keysGiven.filter((_, at) => places[at] === null).map(idOf);
        // Asked also for nothing, so that there is a snapshot.
        for await (const raw of own(db).find({ _id: { $in: ownIds } }, { ...options, raw: true })) {
          const { key, document } = reader.own(raw as unknown as Uint8Array);
          read.set(nameOf(key), document);
        }
        for (const namespace of namespaces) {
          const ids = places.flatMap((place) => (place?.namespace === namespace ? [place.id] : []));
          if (ids.length === 0) continue;
          const filter = { _id: { $in: ids } } as Filter<BSON.Document>;
          for await (const raw of db.collection(namespace.collection).find(filter, { ...options, raw: true })) {
            const { key, document } = reader.mapped(raw as unknown as Uint8Array, namespace);
            read.set(nameOf(key), document);
          }
        }
        return read;
      });
      return keysGiven.map((key): DocumentRead => {
        const document = found.get(nameOf(key)) ?? null;
        if (document === null || !isProblem(document)) return { key, document, version };
        return { key, document: null, version, problem: document };
      });
    },

    async delete(keysGiven) {
      const { keys } = await open();
      const places = keysGiven.map((key) => keys.mapped(key));
      return database.patiently(async (db) => {
        const ownIds = keysGiven.filter((_, at) => places[at] === null).map(idOf);
        let { deletedCount } = await own(db).deleteMany({ _id: { $in: ownIds } }, { writeConcern: write });
        for (const namespace of namespaces) {
          const ids = places.flatMap((place) => (place?.namespace === namespace ? [place.id] : []));
          if (ids.length === 0) continue;
          const filter = { _id: { $in: ids } } as Filter<BSON.Document>;
          deletedCount += (await db.collection(namespace.collection).deleteMany(filter, { writeConcern: write })).deletedCount;
        }
        return deletedCount;
      });
    },

    // The change feed leaves out an update that changes nothing but this mark.
    mark: (keysGiven, vanished) =>
      database.patiently(async (db) => {
        const filter = { _id: { $in: keysGiven.map(idOf) }, vanished: !vanished };
        return (await own(db).updateMany(filter, { $set: { vanished } }, { writeConcern: write })).modifiedCount;
      }),

    async scan({ tenant, origin, after, limit, rejected }) {
      const { bson, keys } = await open();
      const place = after === undefined ? null : keys.mapped(after);
      return database.patiently(async (db) => {
        const reader = documentReader(bson, keys, db);
        const taken: StoredDocument[] = [];
        const take = ({ key, document }: { key: OwnId; document: StoredDocument | Problem }): boolean => {
          if (isProblem(document)) rejected?.(key, document);
          else taken.push(document);
          return taken.length < limit;
        };
        if (place === null) {
          const range = ownRange(tenant, origin, after, new bson.MaxKey());
          for await (const raw of own(db).find({}, { ...range, raw: true })) {
            const one = reader.own(raw as unknown as Uint8Array);
            if (after !== undefined && nameOf(one.key) === nameOf(after)) continue;
            if (!take(one)) return taken;
          }
        }
        const first = place === null ? 0 : namespaces.indexOf(place.namespace);
        for (const namespace of namespaces.slice(first)) {
          if (tenant !== undefined && namespace.tenant !== tenant) continue;
          if (origin !== undefined && origin !== `mongodb:${db.databaseName}.${namespace.collection}`) continue;
          const start = place?.namespace === namespace ? { min: { _id: place.id } } : {};
          for await (const raw of db.collection(namespace.collection).find({}, { ...start, hint: { _id: 1 }, raw: true })) {
            const one = reader.mapped(raw as unknown as Uint8Array, namespace);
            if (after !== undefined && nameOf(one.key) === nameOf(after)) continue;
            if (!take(one)) return taken;
          }
        }
        return taken;
      });
    },

    count: () =>
      database.patiently(async (db) => {
        const counts = [own(db).countDocuments(), ...namespaces.map(({ collection }) => db.collection(collection).countDocuments())];
        return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
      }),

    version: () => database.patiently((db) => lastChangeVersion(db, documents)),
    now: async () => (await atSnapshot((db, session) => own(db).findOne({}, { projection: { _id: 1 }, ...(session && { session }) })))[1],
    identity: async () => database.patiently(async (db) => clusterIdentity(await database.client(), db)),
    close: () => database.close(),
  };
}

function idOf({ tenant, id }: DocumentKey): OwnId {
  return { tenant, id };
}

function nameOf({ tenant, id }: DocumentKey): string {
  return JSON.stringify([tenant, id]);
}

/** A document as it is written; refuses one of a mapped collection, and one that MongoDB cannot hold. */
function prepare(given: Document, keys: MongoKeys): { readonly _id: OwnId; readonly document: Document; readonly revision: string } {
  // A stored document may be put back: what the store added is no part of it.
  const { revision: _revision, vanished: _vanished, ...document } = given as StoredDocument;
  const mapped: { namespace: MappedCollection } | null = keys.mapped(document);
  if (mapped !== null) {
    throw new ProblemError({
      reason: 'source-read-only',
      message: `Document ${document.id} belongs to the collection ${mapped.namespace.collection} of another application`,
      expected: 'a document that twin collected itself',
      hint: 'Change it where it is made; twin follows.',
      exit: 1,
    });
  }
  const body = canonicalJson(document);
  if (Buffer.byteLength(body) > contentBytes) {
    throw new ProblemError({
      reason: 'document-too-large',
      message: `${document.address} is larger than a document of MongoDB may be`,
      where: document.address,
      expected: 'less than 16 MB',
      found: `${(Buffer.byteLength(body) / 1024 / 1024).toFixed(1)} MB`,
      hint: 'Split it, or keep the documents in the embedded store.',
      exit: 1,
    });
  }
  return { _id: idOf(document), document, revision: sha256(body) };
}

/** Where a scan of twin's own documents begins and ends, and the index that it follows. */
function ownRange(tenant: string | undefined, origin: string | undefined, after: DocumentKey | undefined, maximum: BSON.MaxKey): object {
  const from = after === undefined ? (tenant === undefined ? undefined : { tenant }) : idOf(after);
  const to = tenant === undefined ? undefined : { tenant, id: maximum };
  if (origin === undefined) {
    return { hint: { _id: 1 }, ...(from && { min: { _id: from } }), ...(to && { max: { _id: to } }) };
  }
  const lowest = from ?? { tenant: '' };
  return { hint: { origin: 1, _id: 1 }, min: { origin, _id: lowest }, max: { origin, _id: to ?? maximum } };
}
