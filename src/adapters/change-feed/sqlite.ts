import { documentsFile, lastChange, storeState } from '../../clients/sqlite-documents.ts';
import type { ChangeFeed } from '../../ports/change-feed.ts';

/** Changes out of the log that the embedded document store's triggers write; a cursor is the store's identity and a sequence of its log. */
export function openSqliteChangeFeed({ file, busyLimitMs }: { readonly file: string; readonly busyLimitMs?: number }): ChangeFeed {
  const database = documentsFile({ file, ...(busyLimitMs === undefined ? {} : { busyLimitMs }) });
  return {
    capabilities: { deletes: true },

    read: (cursor, limit) =>
      database.read((connection) => {
        const { identity } = storeState(connection);
        const last = lastChange(connection);
        const position = cursor === null ? 0 : Number(cursor.position);
        if (cursor !== null && cursor.source !== identity) {
          return gap(
            `The cursor belongs to document store ${cursor.source}, and ${file} is store ${identity}: it was made anew or replaced.`,
          );
        }
        if (!Number.isSafeInteger(position) || position < 0)
          return gap(`The cursor position ${JSON.stringify(cursor?.position)} is no change number.`);
        if (position > last)
          return gap(`The cursor stands at change ${position}, and ${file} ends at change ${last}: an older copy was put in its place.`);
        const rows = connection.all<{ sequence: number; tenant: string; id: string }>(
          'SELECT sequence, tenant, id FROM change_log WHERE sequence > ? ORDER BY sequence LIMIT ?',
          position,
          limit + 1,
        );
        const more = rows.length > limit;
        const changes = rows.slice(0, limit).map(({ sequence, tenant, id }) => ({ key: { tenant, id }, version: sequence }));
        return {
          kind: 'changes' as const,
          changes,
          cursor: { source: identity, position: String(changes.at(-1)?.version ?? position) },
          more,
        };
      }),

    head: () => database.read((connection) => ({ source: storeState(connection).identity, position: String(lastChange(connection)) })),

    close: () => database.close(),
  };
}

function gap(message: string) {
  return { kind: 'gap-detected' as const, message };
}
