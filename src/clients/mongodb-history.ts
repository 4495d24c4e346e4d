import type { Db, Timestamp } from 'mongodb';
import { mongoCode } from './mongodb-problem.ts';
import { tokenVersion, versionOf } from './mongodb-version.ts';

/** An entry of the server's history that a reader has passed: a store that was restored and has grown since holds another one, or none, in its place. */
export interface HistoryAnchor {
  readonly t: number;
  readonly i: number;
  readonly term: number;
  readonly wall: number;
}

interface HistoryEntry {
  readonly ts: Timestamp;
  readonly t?: { toString(): string };
  readonly wall: Date;
}

const projection = { ts: 1, t: 1, wall: 1 };

function history(db: Db) {
  return db.client.db('local').collection<HistoryEntry>('oplog.rs');
}

/** What the user may not read is nothing. */
async function ifAllowed<Value>(read: () => Promise<Value>): Promise<Value | null> {
  try {
    return await read();
  } catch (error) {
    const code = mongoCode(error);
    if (code === 13 || code === 50) return null;
    throw error;
  }
}

/** The version of the last entry of the primary's history; throws an error that passes while a member answers that is not, or not yet, primary. */
export async function lastVersion(db: Db): Promise<{ readonly any: number; readonly majority: number }> {
  const { isWritablePrimary, lastWrite } = (await db.admin().command({ hello: 1 })) as {
    readonly isWritablePrimary: boolean;
    readonly lastWrite: { readonly opTime: { readonly ts: Timestamp }; readonly majorityOpTime?: { readonly ts: Timestamp } };
  };
  // What another member knows may end before what the last primary told; one that has just started knows of no majority.
  if (!isWritablePrimary || lastWrite.majorityOpTime === undefined) throw notCaughtUp();
  return { any: versionOf(lastWrite.opTime.ts), majority: versionOf(lastWrite.majorityOpTime.ts) };
}

/** A member that is not, or not yet, the primary that knows everything that was told before: asking again may help. */
export function notCaughtUp(): Error {
  return Object.assign(new Error('The primary has not caught up'), { code: 189 });
}

/** The entry that a reader at a token has passed last; null where the history may not be read. */
export async function anchorAt(db: Db, token: string): Promise<HistoryAnchor | null> {
  const passed = tokenVersion(token);
  return ifAllowed(async () => {
    const { Timestamp: Time } = await import('mongodb');
    const at = new Time({ t: Math.floor(passed / 2 ** 20), i: passed % 2 ** 20 });
    const entry = await history(db).findOne({ ts: { $lte: at } }, { projection, sort: { $natural: -1 }, maxTimeMS: 1000 });
    return entry === null ? null : anchorOf(entry);
  });
}

/** What is wrong with the history since a reader passed an anchor; null where nothing is, or where it cannot be told. */
export async function historyChanged(db: Db, anchor: HistoryAnchor): Promise<string | null> {
  const found = await ifAllowed(async () => {
    const { Timestamp: Time } = await import('mongodb');
    const ts = new Time({ t: anchor.t, i: anchor.i });
    const entry = await history(db).findOne({ ts: { $gte: ts } }, { projection, maxTimeMS: 10_000 });
    const oldest = await history(db).findOne({}, { projection, sort: { $natural: 1 }, maxTimeMS: 1000 });
    return { entry, oldest };
  });
  if (found === null || found.oldest === null) return null;
  // Once it has left the history there is nothing to compare; whether the token still is in it, the stream says.
  if (versionOf(found.oldest.ts) > versionOf(anchor)) return null;
  const same = found.entry !== null && JSON.stringify(anchorOf(found.entry)) === JSON.stringify(anchor);
  return same
    ? null
    : `The history of the server no longer holds the entry of ${new Date(anchor.wall).toISOString()} that was read last: an older copy was put in its place and has grown since`;
}

/** The version of the oldest entry of the history; null where it may not be read. */
export async function oldestVersion(db: Db): Promise<number | null> {
  return ifAllowed(async () => {
    const oldest = await history(db).findOne({}, { projection, sort: { $natural: 1 }, maxTimeMS: 1000 });
    return oldest === null ? null : versionOf(oldest.ts);
  });
}

/** The part of the room for history that is taken: nothing is forgotten below 1. 1 also where it may not be read. */
export async function historyFullness(db: Db): Promise<number> {
  const stats = await ifAllowed(() => db.client.db('local').command({ collStats: 'oplog.rs' }));
  const { size, maxSize } = (stats ?? {}) as { readonly size?: number; readonly maxSize?: number };
  return size === undefined || maxSize === undefined ? 1 : Math.min(1, size / maxSize);
}

function anchorOf({ ts, t, wall }: HistoryEntry): HistoryAnchor {
  return { t: ts.t, i: ts.i, term: Number(String(t ?? 0)), wall: wall.getTime() };
}
