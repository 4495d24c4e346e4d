import type { Json } from '../contracts/digest.ts';

/** A record in a stream: its position from 1, the store's time in milliseconds, and what it says. */
export interface StreamRecord {
  readonly seq: number;
  readonly at: number;
  readonly data: Json;
}

/** A row of a table. `revision` counts the writes of its key from 1, and goes on counting when a row comes back after it was deleted or expired. */
export interface TableRow {
  readonly key: string;
  readonly revision: number;
  readonly row: Json;
}

/** A write to one row: takes effect only if the stored revision is `expectedRevision` (0: absent; null: any). A null row deletes. */
export interface RowWrite {
  readonly key: string;
  readonly expectedRevision: number | null;
  readonly row: Json | null;
  /** The row counts as absent this many milliseconds after the write, by the store's clock. */
  readonly expiresInMs?: number;
}

/** What became of a write: the row's new revision (0 of a deleted one), or the revision that stood in its way. */
export type WriteOutcome = { readonly ok: true; readonly revision: number } | { readonly ok: false; readonly actual: number };

/** From the smallest key on, as by default, or from the greatest. */
export type ScanOrder = 'ascending' | 'descending';

/** `passing`: may go with a server of the store, as it is written again where it is missed. `process`: survives the death of this process. `power`: on disk before the promise resolves, as records that guard an effect must be. */
export type Durability = 'passing' | 'process' | 'power';

/**
 * The one truth about runs, steps, jobs, models, aliases, the ledger and cursors.
 * There is no interactive transaction, and no two writes need to be atomic together.
 */
export interface MetadataStore {
  readonly capabilities: {
    /** Other hosts see the same state. */
    readonly shared: boolean;
  };
  /** Appends after `expectedSeq` (null: wherever the stream ends), all or none. */
  append(
    stream: string,
    expectedSeq: number | null,
    records: readonly Json[],
    durability?: Durability,
  ): Promise<{ readonly ok: true; readonly seq: number } | { readonly ok: false; readonly actual: number }>;
  /** Records after `fromSeq` (0: from the start), in order. */
  read(stream: string, fromSeq: number): Promise<readonly StreamRecord[]>;
  /** Names of streams with a prefix after `after`, sorted. */
  streams(prefix: string, after: string, limit: number): Promise<readonly string[]>;
  /** One outcome a write, in their order; each row on its own. */
  putMany(table: string, writes: readonly RowWrite[], durability?: Durability): Promise<readonly WriteOutcome[]>;
  /** One row or null a key, in their order. */
  get(table: string, keys: readonly string[]): Promise<readonly (TableRow | null)[]>;
  /**
   * Rows whose key has the prefix and is greater than `after`, sorted by key.
   * Descending, they come from the greatest key on, and `after` is the key that all of them are less than ('': from the end).
   */
  scan(table: string, prefix: string, after: string, limit: number, order?: ScanOrder): Promise<readonly TableRow[]>;
  /** Empties a table that may be emptied: a cache, or an index that replay rebuilds. */
  clear(table: string): Promise<void>;
  /**
   * Frees the room of rows, of any table, that were deleted or had expired before a moment by the store's clock. Their counts of revisions go with them,
   * so the moment must be so long ago that nobody who knew them is still about. With `dryRun` it only counts.
   */
  purge(before: number, options?: { readonly dryRun?: boolean }): Promise<{ readonly rows: number; readonly bytes: number }>;
  /** The store's clock, in milliseconds. */
  now(): Promise<number>;
  close(): Promise<void>;
}
