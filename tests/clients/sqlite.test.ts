import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeEach, expect, test } from 'vitest';
import { SqliteFile, type SqliteSchema } from '../../src/clients/sqlite.ts';
import type { Problem, ProblemError } from '../../src/contracts/problem.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const schema: SqliteSchema = { subject: 'journal', migrations: ['CREATE TABLE note (text TEXT NOT NULL UNIQUE) STRICT'] };

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder, 'state', 'state.db');
});

const open = (said: Partial<SqliteSchema> = {}, busyLimitMs = 60_000) =>
  new SqliteFile({ file, schema: { ...schema, ...said }, busyLimitMs });
const note = (database: SqliteFile, text: string, durability?: 'process' | 'power') =>
  database.write((connection) => connection.run('INSERT INTO note VALUES (?)', text), durability);
const notes = async (database: SqliteFile) =>
  (await database.read((connection) => connection.all<{ text: string }>('SELECT text FROM note ORDER BY text'))).map(({ text }) => text);
const problemOf = (promise: Promise<unknown>): Promise<Problem> =>
  promise.then(
    () => expect.unreachable('it was no problem'),
    (error: ProblemError) => error.problem,
  );

test('a database that is never used is never made', async () => {
  await open().close();
  expect(existsSync(file)).toBe(false);
});

test('what was written is there after it was closed and opened', async () => {
  const first = open();
  await note(first, 'a');
  await first.close();
  const second = open();
  expect(await notes(second)).toEqual(['a']);
  await second.close();
});

test('closing waits for pending writes, and nothing can be done afterwards', async () => {
  const database = open();
  const pending = note(database, 'a');
  await database.close();
  await expect(pending).resolves.toBe(1);
  await expect(note(database, 'b')).rejects.toThrow(`${file} is closed`);
  await expect(notes(database)).rejects.toThrow(`${file} is closed`);
  await database.close();
});

test('a write that must survive a loss of power is synced with its commit, and others are not', async () => {
  const database = open();
  const level = (durability: 'process' | 'power') =>
    database.write((connection) => connection.get<{ synchronous: number }>('PRAGMA synchronous')!.synchronous, durability);
  expect([await level('process'), await level('power'), await level('process')]).toEqual([1, 2, 1]);
  expect(await Promise.all([level('process'), level('power')])).toEqual([2, 2]);
  await database.close();
});

test('writes of one tick share transactions', async () => {
  const database = open();
  await Promise.all(Array.from({ length: 1000 }, (_, n) => note(database, String(n))));
  expect(await notes(database)).toHaveLength(1000);
  // A transaction each would have logged two pages of 4 KiB each.
  expect(statSync(`${file}-wal`).size).toBeLessThan(2_000_000);
  await database.close();
});

test('of writes that share a transaction, only the one that fails is lost', async () => {
  const database = open();
  const outcomes = await Promise.allSettled(['a', 'b', 'a', 'c', 'b', 'd'].map((text) => note(database, text)));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await notes(database)).toEqual(['a', 'b', 'c', 'd']);
  await database.close();
});

test('a body that throws leaves nothing behind', async () => {
  const database = open();
  const failing = database.write((connection) => {
    connection.run('INSERT INTO note VALUES (?)', 'half');
    throw new Error('the other half');
  });
  await expect(failing).rejects.toThrow('the other half');
  expect(await notes(database)).toEqual([]);
  await database.close();
});

test('migrations run once each, in order, on what an older twin wrote', async () => {
  const older = open();
  await note(older, 'a');
  await older.close();
  const migrations = [...schema.migrations, "ALTER TABLE note ADD COLUMN kind TEXT NOT NULL DEFAULT 'old'"];
  const both = [open({ migrations }), open({ migrations })];
  const rows = await Promise.all(both.map((database) => database.read((connection) => connection.all('SELECT text, kind FROM note'))));
  expect(rows).toMatchObject([[{ text: 'a', kind: 'old' }], [{ text: 'a', kind: 'old' }]]);
  await Promise.all(both.map((database) => database.close()));
});

test('a migration that fails leaves the file as it was', async () => {
  const broken = open({ migrations: [...schema.migrations, 'CREATE TABLE other (a); CREATE TABLE other (a)'] });
  await expect(note(broken, 'a')).rejects.toThrow('table other already exists');
  await broken.close();
  const database = open();
  await note(database, 'a');
  expect(await notes(database)).toEqual(['a']);
  await database.close();
});

test('state of a newer version is refused, and not a byte of it is changed', async () => {
  const newer = open({ migrations: [...schema.migrations, 'CREATE TABLE future (a)', 'CREATE TABLE far_future (a)'] });
  await note(newer, 'a');
  await newer.close();
  const before = readFileSync(file);
  const database = open();
  expect(await problemOf(note(database, 'b'))).toEqual({
    reason: 'state-newer',
    message: `The journal in ${file} was written by a newer twin`,
    where: file,
    expected: 'schema version 1 or lower',
    found: 'schema version 3',
    hint: 'Install the newer twin, or set TWIN_STATE to another folder. Nothing was changed.',
    exit: 2,
  });
  await database.close();
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('a database of another program is refused, and not a byte of it is changed', async () => {
  await mkdir(join(folder, 'state'));
  const foreign = new DatabaseSync(file);
  foreign.exec('CREATE TABLE bookmarks (a)');
  foreign.close();
  const before = readFileSync(file);
  const database = open();
  expect(await problemOf(note(database, 'b'))).toEqual({
    reason: 'state-foreign',
    message: `${file} was made by another program`,
    where: file,
    expected: 'a database with the journal of twin, or no file',
    found: 'a SQLite database without a schema version',
    hint: 'Move the file away, or set TWIN_STATE to another folder. Nothing was changed.',
    exit: 2,
  });
  expect(readFileSync(file).equals(before)).toBe(true);
});

test('a file that is no database is named', async () => {
  await mkdir(join(folder, 'state'));
  await writeFile(file, 'Dear diary, '.repeat(100));
  expect(await problemOf(note(open(), 'a'))).toEqual({
    reason: 'state-corrupt',
    message: `${file} is damaged, or no SQLite database`,
    where: file,
    expected: 'a SQLite database',
    found: 'file is not a database',
    hint: 'Restore it from a backup, or move it away together with its -wal and -shm files.',
    exit: 1,
  });
});

test('a full disk is named, keeps what was written before, and ends nothing else', async () => {
  // No more pages than this may be written: SQLite gives the same code as for a disk without space.
  const database = open({ extend: (connection) => connection.exec('PRAGMA max_page_count = 8') });
  await note(database, 'small');
  const [full, other] = await Promise.allSettled([note(database, 'large'.repeat(20_000)), note(database, 'also small')]);
  expect(full).toMatchObject({
    status: 'rejected',
    reason: {
      problem: {
        reason: 'disk-full',
        message: `No space is left to write ${file}`,
        where: file,
        found: 'database or disk is full',
        hint: 'Free some space and run again: nothing of the failed write was kept.',
        exit: 1,
      },
    },
  });
  expect(other.status).toBe('fulfilled');
  expect(await notes(database)).toEqual(['also small', 'small']);
  await database.close();
});

test('a file that may not be written is named', async () => {
  await note(open(), 'a');
  const database = open({ extend: (connection) => connection.exec('PRAGMA query_only = TRUE') });
  expect(await problemOf(note(database, 'b'))).toMatchObject({ reason: 'state-read-only', message: `${file} cannot be written`, exit: 1 });
  expect(await notes(database)).toEqual(['a']);
});

test('a folder in the place of the file, or a file in the place of its folder, is named', async () => {
  await mkdir(file, { recursive: true });
  expect(await problemOf(note(open(), 'a'))).toMatchObject({ reason: 'state-unopenable', message: `${file} cannot be opened`, exit: 1 });
  await writeFile(join(folder, 'plain'), '');
  file = join(folder, 'plain', 'state.db');
  expect(await problemOf(note(open(), 'a'))).toMatchObject({ reason: 'state-unopenable', where: file, exit: 1 });
});

test('a file that could not be opened is tried again at the next call', async () => {
  await writeFile(join(folder, 'state'), '');
  const database = open();
  await expect(note(database, 'a')).rejects.toThrow('cannot be opened');
  await rm(join(folder, 'state'));
  await note(database, 'a');
  expect(await notes(database)).toEqual(['a']);
  await database.close();
});

test('a write waits while another connection writes, and reads do not', async () => {
  const database = open();
  await note(database, 'a');
  const other = new DatabaseSync(file);
  other.exec(`BEGIN IMMEDIATE; INSERT INTO note VALUES ('theirs')`);
  const waiting = note(database, 'mine');
  expect(await notes(database)).toEqual(['a']);
  other.exec('COMMIT');
  other.close();
  await waiting;
  expect(await notes(database)).toEqual(['a', 'mine', 'theirs']);
  await database.close();
});

test('a write that waits too long names who holds the file', async () => {
  const database = open({}, 20);
  await note(database, 'a');
  const other = new DatabaseSync(file);
  other.exec('BEGIN IMMEDIATE');
  const problem = await problemOf(note(database, 'b'));
  expect({ ...problem, found: problem.found!.replace(/\(.*\)/s, '(…)') }).toEqual({
    reason: 'state-locked',
    message: `Another process holds ${file}`,
    where: file,
    expected: 'a free file within 0.02 s',
    found: process.platform === 'linux' ? `a lock of process ${process.pid} (…)` : 'a lock of a process that cannot be named',
    hint: 'Wait for that process to end, or end it.',
    exit: 1,
  });
  other.close();
  await note(database, 'c');
  expect(await notes(database)).toEqual(['a', 'c']);
  await database.close();
});
