import type { DocumentKey, Version } from './document-store.ts';

/** A position in a change feed, kept in the metadata store. */
export interface Cursor {
  /** The very store that it belongs to, as the document store names itself. */
  readonly source: string;
  /** Opaque but to its adapter; moves although nothing changed where a feed must keep it alive. */
  readonly position: string;
  /** The last change at or before the position: stands still while nothing changes. */
  readonly change: Version;
}

/** A key whose document changed. What it holds now is read from the store. */
export interface Change {
  readonly key: DocumentKey;
  /** A read of the key that has seen this change is not older. */
  readonly version: Version;
}

/** The changes after a cursor, word that some of them can no longer be had, or of something that befell all documents of a namespace. */
export type ChangeRead =
  | {
      readonly kind: 'changes';
      readonly changes: readonly Change[];
      readonly cursor: Cursor;
      /** False: everything that had been acknowledged when the read began has been delivered. */
      readonly more: boolean;
    }
  | {
      readonly kind: 'gap-detected';
      readonly message: string;
      /** Another store is configured than the cursor belongs to. */
      readonly otherStore?: boolean;
    }
  | { readonly kind: 'namespace-changed'; readonly message: string };

/** How a feed is read. */
export interface ReadOptions {
  /** Wait so long for a first change; 0 where absent. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** How far a reader is behind, and how long it may stay so. */
export interface FeedLag {
  /** Between the cursor and the source's last change of any kind, by the source's clock. */
  readonly behindMs: number;
  /** The part of the source's history that the reader has let pass: at 1 changes are lost. Null where nothing is ever lost, or where it cannot be told. */
  readonly windowUsed: number | null;
}

/** Tells which documents changed, in order, at least once. */
export interface ChangeFeed {
  readonly capabilities: {
    /** Deletes are seen. Where they are not, only a comparison of all keys finds them. */
    readonly deletes: boolean;
    /** Lost history, another store and one that went back in time are noticed. */
    readonly gaps: boolean;
    /** No change is missed, whatever clocks do. */
    readonly exact: boolean;
  };
  /** Changes after the cursor, at most `limit`; null begins with every document that there is, at a position that stands before the first is read. */
  read(cursor: Cursor | null, limit: number, options?: ReadOptions): Promise<ChangeRead>;
  /** The position after the last change that follows `after`: a token of the source's state, not of a clock. Null where it cannot be told. */
  head(after: Cursor | null): Promise<Cursor | null>;
  lag(cursor: Cursor): Promise<FeedLag>;
  close(): Promise<void>;
}
