import { setTimeout as delay } from 'node:timers/promises';
import type { BSON, Db, Filter } from 'mongodb';
import { clusterIdentity, type MongoDocuments, MongoKeys } from '../../clients/mongodb-documents.ts';
import { digestOf } from '../../contracts/digest.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { Change, ChangeFeed, ChangeRead, Cursor } from '../../ports/change-feed.ts';

/** Where a reader stands in each collection: behind the document of this time and `_id`. */
interface Position {
  readonly at: Readonly<Record<string, { readonly time: number; readonly id: string } | undefined>>;
}

const lookEveryMs = 500;

/**
 * Changes found by the time of the last change that each document holds, for a server without a replica set. It cannot keep what a change stream
 * does: deletes are not seen, a change whose time is older than what was read before is missed, and an older copy of the store is not noticed.
 */
export function openMongoPollingFeed(documents: MongoDocuments): ChangeFeed {
  const { database } = documents;
  const sources = [
    { collection: documents.collection, changedAt: 'changedAt' },
    ...documents.namespaces.map(({ collection, changedAt }) => ({ collection, changedAt })),
  ];
  const identity = async (db: Db) => clusterIdentity(await database.client(), db);

  const readNow = async (cursor: Cursor | null, limit: number): Promise<ChangeRead> => {
    const { BSON: bson } = await import('mongodb');
    const keys = new MongoKeys(documents, bson.EJSON);
    return database.patiently(async (db): Promise<ChangeRead> => {
      const source = await identity(db);
      if (cursor !== null && cursor.source !== source)
        return { kind: 'gap-detected', message: `The cursor belongs to ${cursor.source}, and this is ${source}`, otherStore: true };
      const at: Record<string, { time: number; id: string } | undefined> = { ...(cursor && (JSON.parse(cursor.position) as Position).at) };
      const changes: Change[] = [];
      let more = false;
      for (const { collection, changedAt } of sources) {
        if (changedAt === undefined) throw new ProblemError(noTime(collection));
        const from = at[collection];
        const path = changedAt;
        const filter = (from === undefined ? {} : afterFilter(bson, path, from)) as Filter<BSON.Document>;
        const options = {
          projection: { _id: 1, [path]: 1 },
          sort: { [path]: 1 as const, _id: 1 as const },
          limit: limit - changes.length + 1,
        };
        const found = await db.collection(collection).find(filter, options).toArray();
        const taken = found.slice(0, limit - changes.length);
        more ||= found.length > taken.length;
        for (const document of taken) {
          const key = keys.keyOf(collection, document['_id']);
          const time = timeAt(document, path);
          at[collection] = { time, id: bson.EJSON.stringify({ _id: document['_id'] as unknown }, { relaxed: false }) };
          if (key !== null) changes.push({ key, version: Math.max(0, time) });
        }
      }
      const sorted = changes.toSorted((one, other) => one.version - other.version);
      return {
        kind: 'changes',
        changes: sorted,
        cursor: { source, position: JSON.stringify({ at }), change: tokenOf(at) },
        more,
      };
    });
  };

  return {
    capabilities: { deletes: false, gaps: false, exact: false },

    async read(cursor, limit, { waitMs = 0, signal } = {}) {
      const end = performance.now() + waitMs;
      for (;;) {
        const read = await readNow(cursor, limit);
        if (read.kind !== 'changes' || read.changes.length > 0 || performance.now() >= end || signal?.aborted) return read;
        await delay(Math.min(lookEveryMs, Math.max(1, end - performance.now())), undefined, signal && { signal }).catch(() => undefined);
      }
    },

    async head(after) {
      for (let cursor = after; ;) {
        const read = await readNow(cursor, 10_000);
        if (read.kind !== 'changes') return null;
        ({ cursor } = read);
        if (!read.more) return cursor;
      }
    },

    lag: () => Promise.resolve({ behindMs: 0, windowUsed: null }),
    close: () => database.close(),
  };
}

/** Documents behind a time and `_id`, in their order. */
function afterFilter(bson: typeof BSON, path: string, { time, id }: { readonly time: number; readonly id: string }): object {
  const { _id } = bson.EJSON.parse(id, { relaxed: false }) as { _id: unknown };
  const date = new Date(time);
  return { $or: [{ [path]: { $gt: date } }, { [path]: date, $expr: { $gt: ['$_id', { $literal: _id }] } }] };
}

function timeAt(document: BSON.Document, path: string): number {
  const value = path.split('.').reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], document);
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.getTime() : 0;
}

/** A token of what was read: the same while nothing changes, another one after a change of the same moment. */
function tokenOf(at: Position['at']): number {
  return Number.parseInt(digestOf(at).slice(0, 12), 16);
}

function noTime(collection: string) {
  return {
    reason: 'no-change-time',
    message: `Changes of ${collection} cannot be found by polling: nothing says where the time of a change stands`,
    where: 'documentStore.namespaces',
    expected: 'changedAt: the path of a date that every write sets',
    hint: 'Name it, or run MongoDB as a replica set and leave out documentStore.changes.',
    exit: 2,
  } as const;
}
