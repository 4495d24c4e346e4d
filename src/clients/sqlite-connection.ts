import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

/** A value that can be bound to a statement. */
export type SqliteValue = SQLInputValue;

/** Statements on one open database; each text is prepared once. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Every row of a query. */
  all<Row>(sql: string, ...parameters: readonly SqliteValue[]): Row[] {
    return this.#statement(sql).all(...parameters) as Row[];
  }

  /** The first row of a query. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the columns that it selects
  get<Row>(sql: string, ...parameters: readonly SqliteValue[]): Row | undefined {
    return this.#statement(sql).get(...parameters) as Row | undefined;
  }

  /** Runs a statement that gives no rows back, and counts the rows that it changed. */
  run(sql: string, ...parameters: readonly SqliteValue[]): number {
    const statement = this.#statement(sql);
    // Row ids that FTS5 draws for itself are beyond what a number can hold, and Node reads the last one after each run.
    statement.setReadBigInts(true);
    return Number(statement.run(...parameters).changes);
  }

  /** Runs several statements that are not worth preparing. */
  script(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}
