import { setTimeout as delay } from 'node:timers/promises';
import type { BSON, Db, Timestamp } from 'mongodb';
import { asMongoProblem, isPassingMongoError, mongoCode } from '../../clients/mongodb-problem.ts';
import { MongoChangeStream, type StreamEvent } from '../../clients/mongodb-change-stream.ts';
import { clusterIdentity, collectionNames, type MongoDocuments, MongoKeys } from '../../clients/mongodb-documents.ts';
import {
  anchorAt,
  type HistoryAnchor,
  historyChanged,
  historyFullness,
  lastVersion,
  notCaughtUp,
  oldestVersion,
} from '../../clients/mongodb-history.ts';
import { millisecondsOf, tokenVersion, versionOf } from '../../clients/mongodb-version.ts';
import type { Change, ChangeFeed, ChangeRead, Cursor } from '../../ports/change-feed.ts';

/** What a cursor's position says: where the stream stands, what it passed last, and how far the first read of all documents is. */
interface Position {
  readonly token: string;
  readonly anchor?: HistoryAnchor | null;
  readonly scan?: { readonly collection: number; readonly after: string | null };
}

/** A stream that stands at the position of the cursor that was given out last. */
interface Live {
  readonly stream: MongoChangeStream;
  readonly source: string;
  position: string;
}

/** A wait is cut into parts of this length, so that a reader that is told to stop does. */
const waitPartMs = 300;
const drainMs = 20;
/** After a lost connection the stream is opened again after these pauses; then its reader is told. */
const pausesMs = [100, 500, 1000, 2000, 5000, 5000, 5000, 5000];
/** Entries of the history are noted this often at most. */
const anchorEveryMs = 1000;
/** A head further away than so many changes is not looked for. */
const headEvents = 20_000;
/** Codes of a server or a network in trouble, beside those that the driver knows: asking again may help. */
const passingCodes = new Set([6, 7, 24, 50, 89, 202, 262, 9001, 11601]);
/** Codes of a configuration that is wrong: no gap, and nothing that asking again mends. */
const configurationCodes = new Set([13, 18, 40573]);
const namespaceEvents = new Set(['drop', 'rename', 'dropDatabase', 'invalidate']);

/** The changes of a MongoDB database, by one change stream over all its collections that hold documents. Nothing is written to the source. */
export function openMongoChangeFeed(documents: MongoDocuments): ChangeFeed {
  const { database } = documents;
  const names = collectionNames(documents);
  let live: Live | null = null;
  let anchoredAt = -Infinity;
  let bsonOf: Promise<typeof BSON> | null = null;
  const bson = () => (bsonOf ??= import('mongodb').then(({ BSON: module }) => module));

  const openStream = async (db: Db, token: string | null) =>
    MongoChangeStream.open(await database.client(), db, documents.collection, names, token);
  const identity = async (db: Db) => clusterIdentity(await database.client(), db);
  const leave = async () => {
    const left = live;
    live = null;
    await left?.stream.close();
  };

  /** A position before every document is read: what changes from here on comes by the stream. */
  async function begin(): Promise<ChangeRead> {
    return database.patiently(async (db): Promise<ChangeRead> => {
      const stream = await openStream(db, null);
      const position: Position = { token: stream.token, scan: { collection: 0, after: null } };
      await stream.close();
      return { kind: 'changes', changes: [], cursor: cursorOf(await identity(db), position, 0), more: true };
    });
  }

  /** The next documents of the first read, by their `_id`; their keys alone. */
  async function scanPage(cursor: Cursor, position: Position, limit: number): Promise<ChangeRead> {
    const { EJSON } = await bson();
    const keys = new MongoKeys(documents, EJSON);
    const { collection, after } = position.scan!;
    return database.patiently(async (db): Promise<ChangeRead> => {
      const source = await identity(db);
      if (source !== cursor.source) return otherStore(cursor, source);
      const session = (await database.client()).startSession({ snapshot: true });
      try {
        const start = after === null ? {} : { min: { _id: EJSON.parse(after, { relaxed: false }) as unknown } };
        const options = { projection: { _id: 1 }, hint: { _id: 1 }, limit: limit + 2, session, ...start };
        const found = await db.collection(names[collection]!).find({}, options).toArray();
        const { snapshotTime } = session as unknown as { readonly snapshotTime?: Timestamp };
        // A collection that is not there has no snapshot.
        const version = snapshotTime === undefined ? tokenVersion(position.token) : versionOf(snapshotTime);
        // A primary that has not caught up may not know yet what the stream has already passed.
        if (version < passedBy(position.token)) throw notCaughtUp();
        const ids = found.map(({ _id }) => ({ _id, text: EJSON.stringify({ _id }, { relaxed: false }) }));
        const fresh = ids.filter(({ text }) => text !== wrapped(after)).slice(0, limit);
        const rest = ids.filter(({ text }) => text !== wrapped(after)).length > limit;
        const changes = fresh.flatMap(({ _id }): Change[] => {
          const key = keys.keyOf(names[collection]!, _id);
          return key === null ? [] : [{ key, version }];
        });
        const { scan: _scan, ...streaming } = position;
        const last = fresh.at(-1)?.text;
        const next: Position = rest
          ? { ...position, scan: { collection, after: last!.slice('{"_id":'.length, -1) } }
          : collection + 1 < names.length
            ? { ...position, scan: { collection: collection + 1, after: null } }
            : streaming;
        return { kind: 'changes', changes, cursor: cursorOf(cursor.source, next, version), more: true };
      } finally {
        await session.endSession();
      }
    });
  }

  /** A stream after a cursor, or what stands in its way. */
  async function openAt(
    cursor: Cursor,
    { token, anchor }: Position,
  ): Promise<MongoChangeStream | Extract<ChangeRead, { kind: 'gap-detected' }>> {
    const db = await database.db();
    const source = await identity(db);
    if (source !== cursor.source) return otherStore(cursor, source);
    let at: number;
    try {
      at = passedBy(token);
    } catch {
      return gap(`The cursor ${token.slice(0, 40)} is no token of a change stream`);
    }
    const { any } = await lastVersion(db);
    // The server would accept a token of the future, and deliver nothing until then.
    if (at > any)
      return gap(`The cursor stands at ${timeOf(at)}, and the server's history ends at ${timeOf(any)}: an older copy was put in its place`);
    const changed = anchor ? await historyChanged(db, anchor) : null;
    if (changed !== null) return gap(changed);
    try {
      return await openStream(db, token);
    } catch (error) {
      const code = mongoCode(error);
      if (isPassing(error) || code === null || configurationCodes.has(code)) throw error;
      return gap(`The server cannot go on after ${timeOf(at)}: ${messageOf(error)} (code ${code})`);
    }
  }

  async function streamPage(cursor: Cursor, position: Position, limit: number, waitMs: number, signal?: AbortSignal): Promise<ChangeRead> {
    const { EJSON } = await bson();
    const keys = new MongoKeys(documents, EJSON);
    if (live?.position !== cursor.position || live.source !== cursor.source) {
      await leave();
      const opened = await openAt(cursor, position);
      if (!(opened instanceof MongoChangeStream)) return opened;
      live = { stream: opened, source: cursor.source, position: cursor.position };
    }
    const { stream } = live;
    const more = await fill(stream, waitMs, signal);
    const taken = takeEvents(stream.events, limit, keys);
    if (taken.befallen !== null && taken.count === 0) {
      await leave();
      return { kind: 'namespace-changed', message: befallenWords(taken.befallen) };
    }
    stream.events.splice(0, taken.count);
    const token = stream.events.length === 0 ? stream.token : taken.token!;
    const anchor = await renewedAnchor(token, position.anchor);
    const next = cursorOf(cursor.source, { token, ...(anchor && { anchor }) }, taken.last ?? cursor.change);
    live.position = next.position;
    return { kind: 'changes', changes: taken.changes, cursor: next, more };
  }

  /** Fetches until there are events, or until everything that was written before is known to have been none of ours; whether there may be more. */
  async function fill(stream: MongoChangeStream, waitMs: number, signal?: AbortSignal): Promise<boolean> {
    const end = performance.now() + waitMs;
    if (stream.events.length === 0) await stream.fetch(Math.min(waitMs, waitPartMs));
    const isStopped = () => signal?.aborted === true;
    while (stream.events.length === 0 && performance.now() < end && !isStopped())
      await stream.fetch(Math.min(end - performance.now(), waitPartMs));
    if (stream.events.length > 0) return true;
    const { majority } = await lastVersion(await database.db());
    while (stream.events.length === 0 && tokenVersion(stream.token) < majority && !isStopped()) await stream.fetch(drainMs);
    return stream.events.length > 0;
  }

  async function renewedAnchor(token: string, known: HistoryAnchor | null | undefined): Promise<HistoryAnchor | null | undefined> {
    if (performance.now() - anchoredAt < anchorEveryMs) return known;
    anchoredAt = performance.now();
    return (await anchorAt(await database.db(), token)) ?? known;
  }

  return {
    capabilities: { deletes: true, gaps: true, exact: true },

    async read(cursor, limit, { waitMs = 0, signal } = {}) {
      if (cursor === null) return begin();
      const position = positionOf(cursor);
      if (position === null) return gap(`The cursor position ${JSON.stringify(cursor.position).slice(0, 80)} is none of this feed`);
      if (position.scan) return scanPage(cursor, position, limit);
      for (let failures = 0; ; failures++) {
        try {
          return await database.answerOf(streamPage(cursor, position, limit, waitMs, signal));
        } catch (error) {
          await leave();
          if (signal?.aborted) return { kind: 'changes', changes: [], cursor, more: true };
          const code = mongoCode(error);
          if (failures >= pausesMs.length || (!isPassing(error) && failures >= 2)) {
            // Opened again twice, and broken again at the same place: the stream itself cannot go past it.
            if (code !== null && !isPassing(error) && !configurationCodes.has(code))
              return gap(`The stream cannot go past ${timeOf(tokenVersion(position.token))}: ${messageOf(error)} (code ${code})`);
            throw asMongoProblem(error, database.place);
          }
          if (code !== null && configurationCodes.has(code)) throw asMongoProblem(error, database.place);
          if (code === null && !isPassing(error)) throw asMongoProblem(error, database.place);
          await delay(pausesMs[failures]! * (0.5 + Math.random() / 2), undefined, signal && { signal }).catch(() => undefined);
        }
      }
    },

    async head(after) {
      const position = after === null ? null : positionOf(after);
      if (after !== null && (position === null || position.scan)) return null;
      return database.patiently(async (db): Promise<Cursor | null> => {
        const source = await identity(db);
        const opened = after === null ? await openStream(db, null) : await openAt(after, position!);
        if (!(opened instanceof MongoChangeStream)) return null;
        try {
          const keys = new MongoKeys(documents, (await bson()).EJSON);
          let change = after?.change ?? 0;
          for (let seen = 0; await fill(opened, 0);) {
            const taken = takeEvents(opened.events, Infinity, keys);
            if (taken.befallen !== null || (seen += taken.count) > headEvents) return null;
            opened.events.length = 0;
            change = taken.last ?? change;
          }
          return cursorOf(source, { token: opened.token }, change);
        } finally {
          await opened.close();
        }
      });
    },

    lag: (cursor) =>
      database.patiently(async (db) => {
        const { majority } = await lastVersion(db);
        const at = tokenVersion(positionOf(cursor)!.token);
        const [oldest, fullness] = await Promise.all([oldestVersion(db), historyFullness(db)]);
        const [last, mine, first] = [majority, at, oldest ?? 0].map(millisecondsOf) as [number, number, number];
        const behindMs = at >= majority ? 0 : Math.max(0, last - mine);
        const share = last > first ? Math.max(0, (last - mine) / (last - first)) : 0;
        const passed = oldest !== null && at < oldest ? 1 : Math.min(1, share);
        // A young server has written little of what it will keep.
        const windowUsed = oldest === null ? null : passed * fullness;
        return { behindMs, windowUsed };
      }),

    async close() {
      await leave();
      await database.close();
    },
  };
}

/** What the first events are: keys that changed, up to something that befell a whole collection. */
function takeEvents(events: readonly StreamEvent[], limit: number, keys: MongoKeys) {
  const changes: Change[] = [];
  let count = 0;
  let befallen: StreamEvent | null = null;
  for (const event of events) {
    if (changes.length >= limit) break;
    if (namespaceEvents.has(event.operationType)) {
      befallen = event;
      break;
    }
    count += 1;
    const key = event.documentKey === undefined ? null : keys.keyOf(event.ns.coll!, event.documentKey._id);
    if (key !== null) changes.push({ key, version: versionOf(event.clusterTime) });
  }
  return { changes, count, befallen, token: events[count - 1]?._id._data, last: changes.at(-1)?.version };
}

function befallenWords({ operationType, ns, to }: StreamEvent): string {
  switch (operationType) {
    case 'drop':
      return `The collection ${ns.db}.${ns.coll} was dropped`;
    case 'rename':
      return `The collection ${ns.db}.${ns.coll} was renamed to ${to?.db}.${to?.coll}`;
    default:
      return `The database ${ns?.db ?? ''} was dropped`;
  }
}

function cursorOf(source: string, position: Position, change: number): Cursor {
  return { source, position: JSON.stringify(position), change };
}

function positionOf({ position }: Cursor): Position | null {
  try {
    const parsed = JSON.parse(position) as Position;
    return typeof parsed.token === 'string' ? parsed : null;
  } catch {
    return null;
  }
}

function wrapped(after: string | null): string | null {
  return after === null ? null : `{"_id":${after}}`;
}

function timeOf(version: number): string {
  return new Date(millisecondsOf(version)).toISOString();
}

/** What a reader at a token has surely passed: a stream that was opened on nothing stands just behind the last entry of the history. */
function passedBy(token: string): number {
  return tokenVersion(token) - 1;
}

function isPassing(error: unknown): boolean {
  const code = mongoCode(error);
  return isPassingMongoError(error) || (code !== null && passingCodes.has(code));
}

function gap(message: string): Extract<ChangeRead, { kind: 'gap-detected' }> {
  return { kind: 'gap-detected', message };
}

function otherStore(cursor: Cursor, source: string) {
  return {
    ...gap(`The cursor belongs to ${cursor.source}, and this is ${source}: another cluster or database is configured`),
    otherStore: true,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 300) : String(error);
}
