import { SqliteFile } from '../../clients/sqlite.ts';
import type { SqliteConnection } from '../../clients/sqlite-connection.ts';
import { endOfPrefix } from '../../clients/key-range.ts';
import type { Json } from '../../contracts/digest.ts';
import type { MetadataStore, RowWrite, StreamRecord, TableRow, WriteOutcome } from '../../ports/metadata-store.ts';

const migrations = [
  `CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE record (
     stream INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL,
     PRIMARY KEY (stream, seq)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE row (
     id INTEGER PRIMARY KEY, collection TEXT NOT NULL, key TEXT NOT NULL,
     revision INTEGER NOT NULL, expires_at INTEGER, data TEXT NOT NULL,
     UNIQUE (collection, key)
   ) STRICT;`,
];

/** Rows in one body of a write: few enough that a group of them stays within its time. */
const rowsAtOnce = 50;

interface SavedRow {
  readonly id: number;
  readonly key: string;
  readonly revision: number;
  readonly expires_at: number | null;
  readonly data: string;
}

/**
 * The metadata store in one SQLite file of this machine. Its clock is the machine's.
 * A key that was deleted or has expired keeps its count of revisions, so that whoever held it before cannot mistake a later holder's revision for its own.
 */
export function openSqliteMetadataStore({
  file,
  subject = 'journal',
  busyLimitMs,
}: {
  readonly file: string;
  /** What messages call its content. */
  readonly subject?: string;
  readonly busyLimitMs?: number;
}): MetadataStore {
  const database = new SqliteFile({
    file,
    schema: { subject, migrations },
    ...(busyLimitMs === undefined ? {} : { busyLimitMs }),
  });
  return {
    capabilities: { shared: false },

    append(stream, expectedSeq, records, durability) {
      const texts = records.map((record) => JSON.stringify(record));
      return database.write((connection) => append(connection, wellFormed(stream), expectedSeq, texts), durability);
    },

    async read(stream, fromSeq) {
      const records = await database.read((connection) =>
        connection.all<{ seq: number; at: number; data: string }>(
          'SELECT seq, at, data FROM record WHERE stream = (SELECT id FROM stream WHERE name = ?) AND seq > ? ORDER BY seq',
          stream,
          fromSeq,
        ),
      );
      return records.map(({ seq, at, data }): StreamRecord => ({ seq, at, data: JSON.parse(data) as Json }));
    },

    async streams(prefix, after, limit) {
      const rows = await database.read((connection) =>
        connection.all<{ name: string }>(
          'SELECT name FROM stream WHERE name >= ? AND name > ? AND (?3 IS NULL OR name < ?3) ORDER BY name LIMIT ?4',
          prefix,
          after,
          endOfPrefix(prefix),
          limit,
        ),
      );
      return rows.map(({ name }) => name);
    },

    async putMany(table, writes, durability) {
      const outcomes: Promise<WriteOutcome[]>[] = [];
      for (let start = 0; start < writes.length; start += rowsAtOnce) {
        const part = writes
          .slice(start, start + rowsAtOnce)
          .map((write) => ({ write, text: write.row === null ? null : JSON.stringify(write.row) }));
        outcomes.push(
          database.write((connection) => part.map(({ write, text }) => put(connection, wellFormed(table), write, text)), durability),
        );
      }
      return (await Promise.all(outcomes)).flat();
    },

    async get(table, keys) {
      const rows: (TableRow | null)[] = [];
      for (let start = 0; start < keys.length; start += rowsAtOnce) {
        const part = keys.slice(start, start + rowsAtOnce);
        rows.push(...(await database.read((connection) => part.map((key) => visible(saved(connection, table, key))))));
      }
      return rows;
    },

    async scan(table, prefix, after, limit, order = 'ascending') {
      const from = order === 'ascending' ? 'key > ?3' : "(?3 = '' OR key < ?3)";
      const rows = await database.read((connection) =>
        connection.all<SavedRow>(
          `SELECT id, key, revision, expires_at, data FROM row
           WHERE collection = ?1 AND key >= ?2 AND ${from} AND (?4 IS NULL OR key < ?4) AND (expires_at IS NULL OR expires_at > ?5)
           ORDER BY key ${order === 'ascending' ? 'ASC' : 'DESC'} LIMIT ?6`,
          table,
          prefix,
          after,
          endOfPrefix(prefix),
          Date.now(),
          limit,
        ),
      );
      return rows.map(asTableRow);
    },

    async clear(table) {
      // In parts, each a short transaction of its own.
      const part = 'DELETE FROM row WHERE id IN (SELECT id FROM row WHERE collection = ? LIMIT 1000)';
      while ((await database.write((connection) => connection.run(part, table))) > 0);
    },

    async purge(before, { dryRun = false } = {}) {
      const bytes = 'length(CAST(collection AS BLOB)) + length(CAST(key AS BLOB)) + length(CAST(data AS BLOB))';
      let total = { rows: 0, bytes: 0 };
      // In parts, each a short transaction of its own.
      for (let after = 0; ;) {
        const part = await database.read((connection) =>
          connection.all<{ id: number; bytes: number }>(
            `SELECT id, ${bytes} AS bytes FROM row WHERE id > ? AND expires_at < ? ORDER BY id LIMIT 1000`,
            after,
            before,
          ),
        );
        if (part.length === 0) return total;
        after = part.at(-1)!.id;
        const gone = dryRun
          ? part
          : await database.write((connection) =>
              part.filter(({ id }) => connection.run('DELETE FROM row WHERE id = ? AND expires_at < ?', id, before) > 0),
            );
        total = { rows: total.rows + gone.length, bytes: gone.reduce((sum, row) => sum + row.bytes, total.bytes) };
      }
    },

    now: () => Promise.resolve(Date.now()),
    close: () => database.close(),
  };
}

function append(connection: SqliteConnection, stream: string, expectedSeq: number | null, records: readonly string[]) {
  let id = connection.get<{ id: number }>('SELECT id FROM stream WHERE name = ?', stream)?.id;
  let seq = id === undefined ? 0 : connection.get<{ seq: number }>('SELECT max(seq) AS seq FROM record WHERE stream = ?', id)!.seq;
  if (expectedSeq !== null && expectedSeq !== seq) return { ok: false as const, actual: seq };
  if (records.length === 0) return { ok: true as const, seq };
  id ??= connection.get<{ id: number }>('INSERT INTO stream (name) VALUES (?) RETURNING id', stream)!.id;
  const at = Date.now();
  for (const data of records) connection.run('INSERT INTO record (stream, seq, at, data) VALUES (?, ?, ?, ?)', id, ++seq, at, data);
  return { ok: true as const, seq };
}

function put(
  connection: SqliteConnection,
  table: string,
  { key, expectedRevision, expiresInMs }: RowWrite,
  data: string | null,
): WriteOutcome {
  const stored = saved(connection, table, wellFormed(key));
  const actual = visible(stored)?.revision ?? 0;
  if (expectedRevision !== null && expectedRevision !== actual) return { ok: false, actual };
  if (data === null) {
    if (actual > 0)
      connection.run("UPDATE row SET revision = revision + 1, expires_at = ?, data = 'null' WHERE id = ?", Date.now(), stored!.id);
    return { ok: true, revision: 0 };
  }
  const revision = (stored?.revision ?? 0) + 1;
  const expiresAt = expiresInMs === undefined ? null : Date.now() + expiresInMs;
  if (stored === undefined) {
    connection.run(
      'INSERT INTO row (collection, key, revision, expires_at, data) VALUES (?, ?, ?, ?, ?)',
      table,
      key,
      revision,
      expiresAt,
      data,
    );
  } else {
    connection.run('UPDATE row SET revision = ?, expires_at = ?, data = ? WHERE id = ?', revision, expiresAt, data, stored.id);
  }
  return { ok: true, revision };
}

function saved(connection: SqliteConnection, table: string, key: string): SavedRow | undefined {
  return connection.get<SavedRow>('SELECT id, key, revision, expires_at, data FROM row WHERE collection = ? AND key = ?', table, key);
}

/** The row as a reader sees it: null where it is absent or has expired. */
function visible(row: SavedRow | undefined): TableRow | null {
  return row === undefined || (row.expires_at !== null && row.expires_at <= Date.now()) ? null : asTableRow(row);
}

function asTableRow({ key, revision, data }: SavedRow): TableRow {
  return { key, revision, row: JSON.parse(data) as Json };
}

/** SQLite would store a lone surrogate as another character, and so make one name of two. */
function wellFormed(name: string): string {
  if (!name.isWellFormed()) throw new TypeError(`A lone surrogate in the name ${JSON.stringify(name)}`);
  return name;
}
