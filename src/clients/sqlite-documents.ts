import type { SqliteConnection } from './sqlite-connection.ts';
import { SqliteFile } from './sqlite.ts';

/** A reader further behind than this many changes cannot be told whether its history is still that of the file. */
export const marksKept = 1_000_000;

/**
 * `change_log` is written by triggers alone, so that no way of changing a document can go past it. It holds one entry a key, the newest:
 * a reader from the start sees every key that ever was, and the log grows with the keys and not with the changes.
 * Sequence numbers are never used twice. The vanished mark changes nothing in an index and has a counter of its own.
 */
const migrations = [
  `CREATE TABLE document (
     tenant TEXT NOT NULL, id TEXT NOT NULL, origin TEXT NOT NULL, revision TEXT NOT NULL,
     vanished INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL, UNIQUE (tenant, id)
   ) STRICT;
   CREATE INDEX document_of_origin ON document (origin, tenant, id);
   CREATE TABLE change_log (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, id TEXT NOT NULL, UNIQUE (tenant, id)
   ) STRICT;
   CREATE TABLE store (identity TEXT NOT NULL, marks INTEGER NOT NULL) STRICT;
   INSERT INTO store SELECT
     substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-8' || substr(h, 18, 3) || '-' || substr(h, 21), 0
     FROM (SELECT lower(hex(randomblob(16))) AS h);
   CREATE TRIGGER document_inserted AFTER INSERT ON document BEGIN
     DELETE FROM change_log WHERE tenant = new.tenant AND id = new.id;
     INSERT INTO change_log (tenant, id) VALUES (new.tenant, new.id);
   END;
   CREATE TRIGGER document_updated AFTER UPDATE ON document
   WHEN old.revision IS NOT new.revision OR old.body IS NOT new.body BEGIN
     DELETE FROM change_log WHERE tenant = new.tenant AND id = new.id;
     INSERT INTO change_log (tenant, id) VALUES (new.tenant, new.id);
   END;
   CREATE TRIGGER document_renamed BEFORE UPDATE OF tenant, id ON document
   WHEN old.tenant IS NOT new.tenant OR old.id IS NOT new.id BEGIN
     SELECT RAISE(ABORT, 'A document keeps its tenant and id: delete it and insert another');
   END;
   CREATE TRIGGER document_deleted AFTER DELETE ON document BEGIN
     DELETE FROM change_log WHERE tenant = old.tenant AND id = old.id;
     INSERT INTO change_log (tenant, id) VALUES (old.tenant, old.id);
   END;
   CREATE TRIGGER document_marked AFTER UPDATE OF vanished ON document WHEN old.vanished IS NOT new.vanished BEGIN
     UPDATE store SET marks = marks + 1;
   END;`,
  // Numbers tell two histories apart that gave the same sequence to different changes: an older copy of the file that has grown since.
  `CREATE TABLE change_mark (sequence INTEGER PRIMARY KEY, mark INTEGER NOT NULL) STRICT;
   CREATE TRIGGER change_marked AFTER INSERT ON change_log BEGIN
     INSERT INTO change_mark (sequence, mark) VALUES (new.sequence, random() >> 11);
     DELETE FROM change_mark WHERE sequence <= new.sequence - ${marksKept};
   END;`,
];

/** The file that the document store writes and the change feed reads. */
export function documentsFile(options: { readonly file: string; readonly busyLimitMs?: number }): SqliteFile {
  return new SqliteFile({ ...options, schema: { subject: 'document store', migrations } });
}

/** The sequence of the last change, 0 before the first. */
export function lastChange(connection: SqliteConnection): number {
  return connection.get<{ last: number }>('SELECT coalesce(max(sequence), 0) AS last FROM change_log')!.last;
}

/** The random number that a change got, null of one that is too old, or older than such numbers are. */
export function markOf(connection: SqliteConnection, sequence: number): number | null {
  return connection.get<{ mark: number }>('SELECT mark FROM change_mark WHERE sequence = ?', sequence)?.mark ?? null;
}

/** The store's own name, drawn when its file was made, and how often a vanished mark was set or cleared. */
export function storeState(connection: SqliteConnection): { readonly identity: string; readonly marks: number } {
  return connection.get<{ identity: string; marks: number }>('SELECT identity, marks FROM store')!;
}
