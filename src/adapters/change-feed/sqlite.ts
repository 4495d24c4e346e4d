import { setTimeout as delay } from 'node:timers/promises';
import type { SqliteConnection } from '../../clients/sqlite-connection.ts';
import { documentsFile, lastChange, markOf, marksKept, storeState } from '../../clients/sqlite-documents.ts';
import type { ChangeFeed, ChangeRead, Cursor } from '../../ports/change-feed.ts';

/** How often a reader that waits for changes looks. */
const lookEveryMs = 50;

/**
 * Changes out of the log that the embedded document store's triggers write. A cursor is the store's identity, a sequence of its log, and the
 * random mark of that change: an older copy of the file that grew past the cursor has another one.
 */
export function openSqliteChangeFeed({ file, busyLimitMs }: { readonly file: string; readonly busyLimitMs?: number }): ChangeFeed {
  const database = documentsFile({ file, ...(busyLimitMs === undefined ? {} : { busyLimitMs }) });

  const readNow = (cursor: Cursor | null, limit: number): Promise<ChangeRead> =>
    database.read((connection): ChangeRead => {
      const { identity } = storeState(connection);
      const last = lastChange(connection);
      const message = cursor === null ? null : gapAt(connection, cursor, identity, last);
      if (message !== null)
        return { kind: 'gap-detected', message: `${message} (${file})`, ...(cursor?.source !== identity && { otherStore: true }) };
      const position = cursor === null ? 0 : sequenceOf(cursor);
      const rows = connection.all<{ sequence: number; tenant: string; id: string }>(
        'SELECT sequence, tenant, id FROM change_log WHERE sequence > ? ORDER BY sequence LIMIT ?',
        position,
        limit + 1,
      );
      const changes = rows.slice(0, limit).map(({ sequence, tenant, id }) => ({ key: { tenant, id }, version: sequence }));
      const at = changes.at(-1)?.version ?? position;
      return { kind: 'changes', changes, cursor: cursorAt(connection, identity, at), more: rows.length > limit };
    });

  return {
    capabilities: { deletes: true, gaps: true, exact: true },

    async read(cursor, limit, { waitMs = 0, signal } = {}) {
      const end = performance.now() + waitMs;
      for (;;) {
        const read = await readNow(cursor, limit);
        if (read.kind !== 'changes' || read.changes.length > 0 || performance.now() >= end || signal?.aborted) return read;
        await delay(lookEveryMs, undefined, signal && { signal }).catch(() => undefined);
      }
    },

    head: () => database.read((connection) => cursorAt(connection, storeState(connection).identity, lastChange(connection))),

    // The log keeps every key for ever, and no clock: how long ago a change was made is not known.
    lag: () => Promise.resolve({ behindMs: 0, windowUsed: null }),

    close: () => database.close(),
  };
}

function cursorAt(connection: SqliteConnection, source: string, sequence: number): Cursor {
  const mark = markOf(connection, sequence);
  return { source, position: mark === null ? String(sequence) : `${sequence} ${mark}`, change: sequence };
}

function sequenceOf({ position }: Cursor): number {
  return Number(position.split(' ')[0]);
}

/** What is wrong with a cursor in this store, null where nothing is. */
function gapAt(connection: SqliteConnection, cursor: Cursor, identity: string, last: number): string | null {
  if (cursor.source !== identity)
    return `The cursor belongs to document store ${cursor.source}, and this is store ${identity}: it was made anew or replaced`;
  const sequence = sequenceOf(cursor);
  const mark = cursor.position.split(' ')[1];
  if (!Number.isSafeInteger(sequence) || sequence < 0) return `The cursor position ${JSON.stringify(cursor.position)} is no change number`;
  if (sequence > last)
    return `The cursor stands at change ${sequence}, and the store ends at change ${last}: an older copy was put in its place`;
  if (mark === undefined) return null;
  const stored = markOf(connection, sequence);
  if (stored === null)
    return `The cursor stands at change ${sequence}, more than ${marksKept} changes ago: whether this is still the same history cannot be told`;
  if (String(stored) !== mark)
    return `The cursor stands at change ${sequence}, which is another change in this store: an older copy was put in its place and has grown since`;
  return null;
}
