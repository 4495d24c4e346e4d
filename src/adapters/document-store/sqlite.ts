import type { SqliteConnection } from '../../clients/sqlite-connection.ts';
import { documentsFile, lastChange, storeState } from '../../clients/sqlite-documents.ts';
import { canonicalJson, sha256 } from '../../contracts/digest.ts';
import type { Document, StoredDocument } from '../../contracts/document.ts';
import type { DocumentKey, DocumentStore } from '../../ports/document-store.ts';

interface SavedDocument {
  readonly revision: string;
  readonly vanished: number;
  readonly body: string;
}

/** A body of a write holds at most so many keys, and so many characters of documents unless one alone is longer. */
const keysAtOnce = 50;
const charactersAtOnce = 1_000_000;

/** Documents in one SQLite file of this machine, each beside its revision; the file keeps its own log of changes. */
export function openSqliteDocumentStore(options: { readonly file: string; readonly busyLimitMs?: number }): DocumentStore {
  const database = documentsFile(options);

  /** Runs a statement for each key and counts the rows that it changed. */
  const forKeys = async (keys: readonly DocumentKey[], change: (connection: SqliteConnection, key: DocumentKey) => number) => {
    const counts = inParts(keys, () => 0).map((part) =>
      database.write((connection) => part.reduce((sum, key) => sum + change(connection, key), 0)),
    );
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  };

  return {
    async put(documents) {
      const outcomes: Promise<('inserted' | 'updated' | 'unchanged')[]>[] = [];
      const prepared = documents.map((given) => {
        // A stored document may be put back: what the store added is no part of it.
        const { revision: _revision, vanished: _vanished, ...document } = given as StoredDocument;
        const body = canonicalJson(document);
        return { document, body, revision: sha256(body) };
      });
      for (const part of inParts(prepared, ({ body }) => body.length)) {
        outcomes.push(
          database.write((connection) => part.map(({ document, body, revision }) => put(connection, document, body, revision))),
        );
      }
      return (await Promise.all(outcomes)).flat();
    },

    async get(keys) {
      const parts = inParts(keys, () => 0).map((part) =>
        database.read((connection) => {
          const version = lastChange(connection);
          return part.map((key) => {
            const row = saved(connection, key);
            return { key, document: row === undefined ? null : asDocument(row), version };
          });
        }),
      );
      return (await Promise.all(parts)).flat();
    },

    delete: (keys) =>
      forKeys(keys, (connection, { tenant, id }) => connection.run('DELETE FROM document WHERE tenant = ? AND id = ?', tenant, id)),

    mark: (keys, vanished) =>
      forKeys(keys, (connection, { tenant, id }) =>
        connection.run('UPDATE document SET vanished = ?1 WHERE tenant = ?2 AND id = ?3 AND vanished <> ?1', Number(vanished), tenant, id),
      ),

    async scan({ tenant, origin, after, limit }) {
      const conditions = ['TRUE'];
      const parameters: string[] = [];
      const require = (condition: string, ...values: string[]) => {
        conditions.push(condition);
        parameters.push(...values);
      };
      if (tenant !== undefined) require('tenant = ?', tenant);
      if (origin !== undefined) require('origin = ?', origin);
      if (after !== undefined) require('(tenant, id) > (?, ?)', after.tenant, after.id);
      const sql = `SELECT revision, vanished, body FROM document WHERE ${conditions.join(' AND ')} ORDER BY tenant, id LIMIT ?`;
      return (await database.read((connection) => connection.all<SavedDocument>(sql, ...parameters, limit))).map(asDocument);
    },

    count: () => database.read((connection) => connection.get<{ count: number }>('SELECT count(*) AS count FROM document')!.count),
    // Neither counter ever falls, so that their sum stands still only while both do.
    version: () => database.read((connection) => lastChange(connection) + storeState(connection).marks),
    now: () => database.read(lastChange),
    identity: () => database.read((connection) => storeState(connection).identity),
    close: () => database.close(),
  };
}

function put(connection: SqliteConnection, { tenant, id, origin }: Document, body: string, revision: string) {
  const stored = saved(connection, { tenant, id });
  if (stored === undefined) {
    connection.run('INSERT INTO document (tenant, id, origin, revision, body) VALUES (?, ?, ?, ?, ?)', tenant, id, origin, revision, body);
    return 'inserted';
  }
  if (stored.revision === revision) return 'unchanged';
  connection.run('UPDATE document SET origin = ?, revision = ?, body = ? WHERE tenant = ? AND id = ?', origin, revision, body, tenant, id);
  return 'updated';
}

function saved(connection: SqliteConnection, { tenant, id }: DocumentKey): SavedDocument | undefined {
  return connection.get<SavedDocument>('SELECT revision, vanished, body FROM document WHERE tenant = ? AND id = ?', tenant, id);
}

function asDocument({ revision, vanished, body }: SavedDocument): StoredDocument {
  return { ...(JSON.parse(body) as Document), revision, vanished: vanished === 1 };
}

/** Consecutive parts of a list, each small enough for one body of a write. */
function inParts<Item>(items: readonly Item[], characters: (item: Item) => number): Item[][] {
  const parts: Item[][] = [];
  let size = 0;
  for (const item of items) {
    const last = parts.at(-1);
    size += characters(item);
    if (last !== undefined && last.length < keysAtOnce && size <= charactersAtOnce) last.push(item);
    else {
      parts.push([item]);
      size = characters(item);
    }
  }
  return parts;
}
