import { existsSync } from 'node:fs';

/** How long to wait for another process that uses the file. */
const waitMs = 20_000;

/** Writes a database anew, so that nothing of what was deleted is left in free pages, in the log, or in segments of a text index. */
export async function compactSqlite(file: string): Promise<void> {
  if (!existsSync(file)) return;
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(file, { timeout: waitMs });
  try {
    const texts = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%USING fts5%'").all();
    for (const { name } of texts as { name: string }[]) database.exec(`INSERT INTO "${name}" ("${name}") VALUES ('optimize')`);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}
