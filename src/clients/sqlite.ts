import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { ProblemError } from '../contracts/problem.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import { lockHolder } from './sqlite-lock-holder.ts';
import { asProblem, asUnopenable, isBusy } from './sqlite-problem.ts';

/** What a file holds, and how it came to its present shape. */
export interface SqliteSchema {
  /** `journal`, `documents`, …: what a message calls the content. */
  readonly subject: string;
  /** One script a version, never changed once released; `user_version` counts those that ran. */
  readonly migrations: readonly string[];
  /** Of a file that is made anew; SQLite's own default where absent. */
  readonly pageBytes?: number;
  /** How much of the file SQLite may hold in memory, in KiB; 2,000 where absent. */
  readonly cacheKib?: number;
  /** Loads what the schema needs (an extension) into each connection. */
  readonly extend?: (database: DatabaseSync) => void | Promise<void>;
}

/** Where and how a database is opened. */
export interface SqliteOptions {
  readonly file: string;
  readonly schema: SqliteSchema;
  /** How long to wait for another process that writes. */
  readonly busyLimitMs?: number;
}

interface PendingWrite {
  readonly body: (connection: SqliteConnection) => unknown;
  readonly power: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** No transaction takes up further writes after this long: it leaves room to commit within 50 ms. */
const transactionBudgetMs = 15;
const defaultBusyLimitMs = 60_000;

/** One SQLite file, opened at the first call. Reads and writes are short synchronous bodies, so that nothing holds the event loop for long. */
export class SqliteFile {
  readonly #options: SqliteOptions;
  readonly #queue: PendingWrite[] = [];
  #opening: Promise<SqliteConnection> | null = null;
  #flushing: Promise<void> | null = null;
  #closed = false;
  #synchronous: 'NORMAL' | 'FULL' = 'NORMAL';
  /** So many of the next writes get a transaction each, after a group that failed. */
  #alone = 0;

  constructor(options: SqliteOptions) {
    this.#options = options;
  }

  /**
   * Runs `body` in a write transaction, shared with other writes of the same tick; it may run twice, and takes effect once.
   * `power` has the transaction on disk before the promise resolves.
   */
  write<Value>(body: (connection: SqliteConnection) => Value, durability: 'passing' | 'process' | 'power' = 'process'): Promise<Value> {
    return new Promise<Value>((resolve, reject) => {
      if (this.#closed) throw new Error(`${this.#options.file} is closed`);
      this.#queue.push({ body, power: durability === 'power', resolve: resolve as (value: unknown) => void, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Runs `body` on one consistent state of the file. */
  async read<Value>(body: (connection: SqliteConnection) => Value): Promise<Value> {
    const connection = await this.#connection();
    return this.#patiently(() => this.#transaction(connection, 'BEGIN', () => body(connection)));
  }

  /** Ends pending writes, then closes; a second call does nothing. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    const opening = this.#opening;
    this.#opening = null;
    const connection = await opening?.catch(() => null);
    connection?.close();
  }

  #connection(): Promise<SqliteConnection> {
    if (this.#opening !== null) return this.#opening;
    if (this.#closed) return Promise.reject(new Error(`${this.#options.file} is closed`));
    const opening = this.#open();
    this.#opening = opening;
    // A file that could not be opened is tried again at the next call.
    opening.catch(() => {
      if (this.#opening === opening) this.#opening = null;
    });
    return opening;
  }

  async #flush(): Promise<void> {
    try {
      const connection = await this.#connection();
      while (this.#queue.length > 0) {
        await this.#patiently(() => this.#commitGroup(connection));
        if (this.#queue.length > 0) await nextTurn();
      }
    } catch (error) {
      for (const { reject } of this.#queue.splice(0)) reject(error);
    } finally {
      this.#flushing = null;
    }
  }

  /** One transaction around as many pending writes as fit the budget. */
  #commitGroup(connection: SqliteConnection): void {
    const started = performance.now();
    const group = this.#alone > 0 ? this.#queue.slice(0, 1) : this.#queue;
    const done: [write: PendingWrite, value: unknown][] = [];
    this.#synchronize(
      connection,
      group.some(({ power }) => power),
    );
    try {
      this.#transaction(connection, 'BEGIN IMMEDIATE', () => {
        for (const write of group) {
          done.push([write, write.body(connection)]);
          if (performance.now() - started > transactionBudgetMs) break;
        }
      });
    } catch (error) {
      if (isBusy(error)) throw error;
      if (group.length > 1) {
        // Each of these gets a transaction of its own, so that the others are not lost with the one that failed.
        this.#alone = Math.min(done.length + 1, group.length);
        return;
      }
      this.#alone = Math.max(this.#alone - 1, 0);
      this.#queue.shift()!.reject(asProblem(error, this.#options.file));
      return;
    }
    this.#alone = Math.max(this.#alone - 1, 0);
    this.#queue.splice(0, done.length);
    for (const [write, value] of done) write.resolve(value);
  }

  /** Before a commit: FULL syncs the log with it, NORMAL leaves that to the next checkpoint. */
  #synchronize(connection: SqliteConnection, power: boolean): void {
    const level = power ? 'FULL' : 'NORMAL';
    if (this.#synchronous === level) return;
    connection.script(`PRAGMA synchronous = ${level}`);
    this.#synchronous = level;
  }

  #transaction<Value>(connection: SqliteConnection, begin: 'BEGIN' | 'BEGIN IMMEDIATE', body: () => Value): Value {
    connection.run(begin);
    try {
      const value = body();
      connection.run('COMMIT');
      return value;
    } catch (error) {
      // SQLite itself rolls back on some errors (a full disk).
      if (connection.inTransaction) connection.run('ROLLBACK');
      throw error;
    }
  }

  /** Tries again while another process holds the lock: asynchronously, with jitter, up to the limit. */
  async #patiently<Value>(attempt: () => Value): Promise<Value> {
    const { file, busyLimitMs = defaultBusyLimitMs } = this.#options;
    const started = performance.now();
    for (let tries = 1; ; tries++) {
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error)) throw asProblem(error, file);
        if (performance.now() - started > busyLimitMs) throw await this.#locked(error, busyLimitMs);
        await delay(1 + Math.random() * Math.min(2 ** tries, 25));
      }
    }
  }

  async #locked(cause: unknown, waitedMs: number): Promise<ProblemError> {
    const { file } = this.#options;
    const holder = await lockHolder(file);
    return new ProblemError(
      {
        reason: 'state-locked',
        message: `Another process holds ${file}`,
        where: file,
        expected: `a free file within ${waitedMs / 1000} s`,
        found: holder === null ? 'a lock of a process that cannot be named' : `a lock of ${holder}`,
        hint: 'Wait for that process to end, or end it.',
        exit: 1,
      },
      { cause },
    );
  }

  async #open(): Promise<SqliteConnection> {
    const { file, schema } = this.#options;
    // Imported late: commands that need no state do not pay for it.
    const { DatabaseSync } = await import('node:sqlite');
    try {
      mkdirSync(dirname(file), { recursive: true });
    } catch (error) {
      throw asUnopenable(error, file);
    }
    const database = await this.#patiently(() => new DatabaseSync(file, { timeout: 0, allowExtension: schema.extend !== undefined }));
    const connection = new SqliteConnection(database);
    try {
      // Before anything that could change the file.
      const version = await this.#patiently(() => this.#acceptedVersion(connection));
      await schema.extend?.(database);
      if (version === 0 && schema.pageBytes !== undefined) connection.script(`PRAGMA page_size = ${schema.pageBytes}`);
      await this.#patiently(() => connection.script('PRAGMA journal_mode = WAL'));
      connection.script(
        `PRAGMA synchronous = ${this.#synchronous}; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -${schema.cacheKib ?? 2000}`,
      );
      if (version < schema.migrations.length) await this.#patiently(() => this.#migrate(connection));
      return connection;
    } catch (error) {
      database.close();
      throw asProblem(error, file);
    }
  }

  /** The version of the file's schema; refuses a newer one, and a database that another program made. */
  #acceptedVersion(connection: SqliteConnection): number {
    const { file, schema } = this.#options;
    const { user_version: version } = connection.get<{ user_version: number }>('PRAGMA user_version')!;
    const known = schema.migrations.length;
    if (version > known) {
      throw new ProblemError({
        reason: 'state-newer',
        message: `The ${schema.subject} in ${file} was written by a newer twin`,
        where: file,
        expected: `schema version ${known} or lower`,
        found: `schema version ${version}`,
        hint: 'Install the newer twin, or set TWIN_STATE to another folder. Nothing was changed.',
        exit: 2,
      });
    }
    if (version === 0 && connection.get('SELECT 1 FROM sqlite_schema') !== undefined) {
      throw new ProblemError({
        reason: 'state-foreign',
        message: `${file} was made by another program`,
        where: file,
        expected: `a database with the ${schema.subject} of twin, or no file`,
        found: 'a SQLite database without a schema version',
        hint: 'Move the file away, or set TWIN_STATE to another folder. Nothing was changed.',
        exit: 2,
      });
    }
    return version;
  }

  /** Runs the migrations that are still missing once the write lock is held: another process may have run them meanwhile. */
  #migrate(connection: SqliteConnection): void {
    this.#transaction(connection, 'BEGIN IMMEDIATE', () => {
      const version = this.#acceptedVersion(connection);
      for (const script of this.#options.schema.migrations.slice(version)) connection.script(script);
      connection.script(`PRAGMA user_version = ${this.#options.schema.migrations.length}`);
    });
  }
}
