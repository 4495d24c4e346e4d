import { SqliteFile } from '../../clients/sqlite.ts';
import type { SqliteConnection } from '../../clients/sqlite-connection.ts';
import { sha256 } from '../../contracts/digest.ts';
import type { Hit, Point, PointFilter, PointPayload, StoredPoint, VectorIndex } from '../../ports/vector-index.ts';
import { checkedVectorIndex, generationInUse, unknownGeneration } from './checked.ts';

/** A generation without a name is being dropped. */
const migrations = [
  `CREATE TABLE generation (id INTEGER PRIMARY KEY, name TEXT UNIQUE, dimension INTEGER NOT NULL) STRICT;
   CREATE TABLE alias (name TEXT PRIMARY KEY, generation TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
];

/**
 * Tables of one generation. Vectors lie by tenant, beside what a search can be narrowed by, so that an exact search reads nothing else.
 * The terms come from the shared tokenizer: FTS5 is only to split them at spaces, for which every character beyond ASCII must be a letter to it.
 */
const tablesOf = (id: number) => `
  CREATE TABLE point_${id} (
    point INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL,
    payload_hash TEXT NOT NULL, vector_hash TEXT NOT NULL, payload TEXT NOT NULL
  ) STRICT;
  CREATE TABLE vector_${id} (
    tenant TEXT NOT NULL, point INTEGER NOT NULL, id TEXT NOT NULL, document TEXT NOT NULL, author TEXT, platform TEXT NOT NULL,
    content_type TEXT NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (tenant, point)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX vector_${id}_document ON vector_${id} (tenant, document);
  CREATE VIRTUAL TABLE term_${id} USING fts5 (terms, content = '', contentless_delete = 1, tokenize = "ascii tokenchars '_'");`;

/** Points in one body of a write: few enough that it stays within its time. */
const pointsAtOnce = 32;

interface Found {
  readonly point: number;
  readonly id: string;
  readonly score: number;
}

/**
 * The vector index in one SQLite file of this machine: exact cosine by sqlite-vec, BM25 by FTS5 (k1 1.2, b 0.75).
 * How rare a term is, BM25 reckons over all tenants of a generation. A search holds the event loop for as long as it takes,
 * in proportion to the tenant's points: a service that must stay responsive runs it in another thread.
 */
export function openSqliteVectorIndex(options: { readonly file: string; readonly busyLimitMs?: number }): VectorIndex {
  const database = new SqliteFile({
    ...options,
    schema: {
      subject: 'vector index',
      migrations,
      // Ten vectors of 384 values a page; SQLite's default holds two.
      pageBytes: 16_384,
      // Ids lie at random: with less, every write reads the pages of their index again.
      cacheKib: 32_000,
      extend: async (connection) => (await import('sqlite-vec')).load(connection),
    },
  });

  const write = <Value>(generation: string, body: (connection: SqliteConnection, id: number) => Value) =>
    database.write((connection) => body(connection, idOf(connection, generation)));
  const read = <Value>(generation: string, body: (connection: SqliteConnection, id: number) => Value) =>
    database.read((connection) => body(connection, idOf(connection, generation)));

  return checkedVectorIndex({
    capabilities: { shared: false },

    dimension: (generation) =>
      database.read(
        (connection) =>
          connection.get<{ dimension: number }>('SELECT dimension FROM generation WHERE name = ?', generation)?.dimension ?? null,
      ),

    ensure: (generation, dimension) =>
      database.write((connection) => {
        if (connection.get('SELECT 1 FROM generation WHERE name = ?', generation) !== undefined) return;
        const sql = 'INSERT INTO generation (name, dimension) VALUES (?, ?) RETURNING id';
        connection.script(tablesOf(connection.get<{ id: number }>(sql, generation, dimension)!.id));
      }),

    async upsert(generation, tenant, points) {
      const parts: Promise<void>[] = [];
      for (let start = 0; start < points.length; start += pointsAtOnce) {
        const part = points.slice(start, start + pointsAtOnce);
        parts.push(
          write(generation, (connection, id) => {
            for (const point of part) upsert(connection, id, tenant, point);
          }),
        );
      }
      await Promise.all(parts);
    },

    async remove(generation, tenant, ids, atMost) {
      const parts: Promise<void>[] = [];
      for (let start = 0; start < ids.length; start += pointsAtOnce) {
        const part = ids.slice(start, start + pointsAtOnce);
        parts.push(
          write(generation, (connection, id) => {
            for (const point of part) remove(connection, id, tenant, point, atMost);
          }),
        );
      }
      await Promise.all(parts);
    },

    searchDense: (generation, tenant, { vector, limit, filter = {} }) =>
      read(generation, (connection, id) => {
        const { condition, parameters } = conditionOf(filter);
        // Without statistics the planner would read every point of the tenant.
        const index = filter.documents === undefined ? '' : `INDEXED BY vector_${id}_document`;
        // The distance to a vector without a direction is null: it is as far as one at a right angle.
        const found = connection.all<Found>(
          `SELECT point, id, 1 - coalesce(vec_distance_cosine(vector, ?), 1) AS score FROM vector_${id} ${index}
           WHERE tenant = ?${condition} ORDER BY score DESC, id LIMIT ?`,
          bytesOf(vector),
          tenant,
          ...parameters,
          limit,
        );
        return hits(connection, id, found);
      }),

    searchSparse(generation, tenant, { terms, limit, filter = {} }) {
      // Each term in quotes is a word to FTS5 and never an operator.
      const match = [...new Set(terms)].map((term) => `"${term.replaceAll('"', '""')}"`).join(' OR ');
      const { condition, parameters } = conditionOf(filter);
      return read(generation, (connection, id) => {
        if (terms.length === 0) return [];
        const found = connection.all<Found>(
          `SELECT point, id, -bm25(term_${id}) AS score FROM term_${id}
           CROSS JOIN vector_${id} ON tenant = ? AND point = term_${id}.rowid
           WHERE term_${id} MATCH ?${condition} ORDER BY score DESC, id LIMIT ?`,
          tenant,
          match,
          ...parameters,
          limit,
        );
        return hits(connection, id, found);
      });
    },

    scroll: (generation, after, limit) =>
      read(generation, (connection, id) =>
        connection.all<StoredPoint>(
          `SELECT id, tenant, document, version, payload_hash AS payloadHash, vector_hash AS vectorHash
           FROM point_${id} WHERE id > ? ORDER BY id LIMIT ?`,
          after,
          limit,
        ),
      ),

    stored: (generation, ids) =>
      read(generation, (connection, id) =>
        connection.all<StoredPoint>(
          `SELECT id, tenant, document, version, payload_hash AS payloadHash, vector_hash AS vectorHash
           FROM point_${id} WHERE id IN (SELECT value FROM json_each(?))`,
          JSON.stringify(ids),
        ),
      ),

    count: (generation, tenant) =>
      read(
        generation,
        (connection, id) =>
          connection.get<{ count: number }>(
            `SELECT count(*) AS count FROM vector_${id} INDEXED BY vector_${id}_document WHERE tenant = ?`,
            tenant,
          )!.count,
      ),

    alias: (name) =>
      database.read(
        (connection) => connection.get<{ generation: string }>('SELECT generation FROM alias WHERE name = ?', name)?.generation ?? null,
      ),

    moveAlias: (name, expected, generation) =>
      database.write((connection) => {
        idOf(connection, generation);
        const sql =
          expected === null
            ? 'INSERT INTO alias (generation, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING'
            : 'UPDATE alias SET generation = ?1 WHERE name = ?2 AND generation = ?3';
        return connection.run(sql, generation, name, ...(expected === null ? [] : [expected])) === 1;
      }, 'power'),

    removeAlias: (name, expected) =>
      database.write((connection) => connection.run('DELETE FROM alias WHERE name = ? AND generation = ?', name, expected) === 1, 'power'),

    async drop(generation) {
      await database.write((connection) => {
        const named = connection.get<{ name: string }>('SELECT name FROM alias WHERE generation = ?', generation);
        if (named !== undefined) throw generationInUse(generation, named.name);
        connection.run('UPDATE generation SET name = NULL WHERE name = ?', generation);
      });
      await removeDropped(database);
    },

    close: () => database.close(),
  });
}

function idOf(connection: SqliteConnection, generation: string): number {
  const row = connection.get<{ id: number }>('SELECT id FROM generation WHERE name = ?', generation);
  if (row === undefined) throw unknownGeneration(generation);
  return row.id;
}

function upsert(connection: SqliteConnection, generation: number, tenant: string, point: Point): void {
  const { id, version, payload, payloadHash, terms } = point;
  const stored = connection.get<{ point: number; tenant: string; version: number }>(
    `SELECT point, tenant, version FROM point_${generation} WHERE id = ?`,
    id,
  );
  if (stored !== undefined) {
    if (stored.tenant !== tenant) throw new TypeError(`Point ${id} belongs to another tenant`);
    if (stored.version > version) return;
    erase(connection, generation, tenant, stored.point);
  }
  const vector = bytesOf(point.vector);
  // FTS5 gathers what a transaction writes, and writes it out early where numbers fall or a statement (RETURNING is one) opens a savepoint.
  const next = `SELECT coalesce(max(point), 0) + 1 AS next FROM point_${generation}`;
  const number = connection.get<{ next: number }>(next)!.next;
  connection.run(
    `INSERT INTO point_${generation} (point, id, tenant, document, version, payload_hash, vector_hash, payload)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    number,
    id,
    tenant,
    payload.document,
    version,
    payloadHash,
    sha256(vector),
    JSON.stringify(payload),
  );
  connection.run(
    `INSERT INTO vector_${generation} (tenant, point, id, document, author, platform, content_type, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    tenant,
    number,
    id,
    payload.document,
    payload.authorId,
    payload.platform,
    payload.contentType,
    vector,
  );
  connection.run(`INSERT INTO term_${generation} (rowid, terms) VALUES (?, ?)`, number, terms.join(' '));
}

function remove(connection: SqliteConnection, generation: number, tenant: string, id: string, atMost: number): void {
  const sql = `SELECT point FROM point_${generation} WHERE id = ? AND tenant = ? AND version <= ?`;
  const stored = connection.get<{ point: number }>(sql, id, tenant, atMost);
  if (stored !== undefined) erase(connection, generation, tenant, stored.point);
}

function erase(connection: SqliteConnection, generation: number, tenant: string, point: number): void {
  connection.run(`DELETE FROM term_${generation} WHERE rowid = ?`, point);
  connection.run(`DELETE FROM vector_${generation} WHERE tenant = ? AND point = ?`, tenant, point);
  connection.run(`DELETE FROM point_${generation} WHERE point = ?`, point);
}

/** Every named condition as SQL; a condition that names nothing holds for nothing. */
function conditionOf({ documents, authorIds, platforms, contentTypes }: PointFilter): { condition: string; parameters: string[] } {
  const named = Object.entries({ document: documents, author: authorIds, platform: platforms, content_type: contentTypes });
  const lists = named.filter((entry): entry is [string, readonly string[]] => entry[1] !== undefined);
  return {
    condition: lists.map(([column]) => ` AND ${column} IN (SELECT value FROM json_each(?))`).join(''),
    parameters: lists.map(([, values]) => JSON.stringify(values)),
  };
}

function hits(connection: SqliteConnection, generation: number, found: readonly Found[]): Hit[] {
  const sql = `SELECT payload FROM point_${generation} WHERE point = ?`;
  return found.flatMap(({ point, id, score }) => {
    const stored = connection.get<{ payload: string }>(sql, point);
    // Where somebody else deleted the point alone; verifying finds it missing.
    return stored === undefined ? [] : [{ id, score, payload: JSON.parse(stored.payload) as PointPayload }];
  });
}

/** Removes what dropped generations hold, in short transactions; a drop that was interrupted is finished by the next. */
async function removeDropped(database: SqliteFile): Promise<void> {
  const dropped = await database.read((connection) => connection.all<{ id: number }>('SELECT id FROM generation WHERE name IS NULL'));
  for (const { id } of dropped) {
    for (const [table, key] of [
      [`vector_${id}`, 'tenant, point'],
      [`point_${id}`, 'point'],
    ] as const) {
      const part = `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} LIMIT 200)`;
      while ((await database.write((connection) => (exists(connection, table) ? connection.run(part) : 0))) > 0);
    }
    await database.write((connection) => {
      for (const table of [`term_${id}`, `vector_${id}`, `point_${id}`]) connection.script(`DROP TABLE IF EXISTS ${table}`);
      connection.run('DELETE FROM generation WHERE id = ?', id);
    });
  }
}

function exists(connection: SqliteConnection, table: string): boolean {
  return connection.get('SELECT 1 FROM sqlite_schema WHERE name = ?', table) !== undefined;
}

/** The little-endian float32 bytes of a vector, as sqlite-vec reads them. */
function bytesOf(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
