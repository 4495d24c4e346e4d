import type { DocumentKey, Version } from './document-store.ts';

/** A position in a change feed: opaque but to its adapter, kept in the metadata store. */
export type Cursor = { readonly source: string; readonly position: string };

/** A key whose document changed. What it holds now is read from the store. */
export interface Change {
  readonly key: DocumentKey;
  readonly version: Version;
}

/** The changes after a cursor, or word that some of them can no longer be had. */
export type ChangeRead =
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly cursor: Cursor; readonly more: boolean }
  | { readonly kind: 'gap-detected'; readonly message: string };

/** Tells which documents changed, in order, at least once. */
export interface ChangeFeed {
  readonly capabilities: {
    /** Deletes are seen, not only inserts and updates. */
    readonly deletes: boolean;
  };
  /** Changes after the cursor; null reads from the first document that ever was. At most `limit`. */
  read(cursor: Cursor | null, limit: number): Promise<ChangeRead>;
  /** The position after the last matching change: a token of the source's state, not of a clock. */
  head(): Promise<Cursor>;
  close(): Promise<void>;
}
