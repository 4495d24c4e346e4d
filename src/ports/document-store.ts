import type { Document, StoredDocument } from '../contracts/document.ts';
import type { Problem } from '../contracts/problem.ts';

/** Names a document in its tenant. */
export interface DocumentKey {
  readonly tenant: string;
  readonly id: string;
}

/** Orders the changes of one source: a safe integer; versions of two sources are never compared. */
export type Version = number;

/** A read of one key: the document or null, and the version at which that was so. */
export interface DocumentRead {
  readonly key: DocumentKey;
  readonly document: StoredDocument | null;
  readonly version: Version;
  /** What is there is no document; then `document` is null. */
  readonly problem?: Problem;
}

/** Holds documents as they were collected. */
export interface DocumentStore {
  /** One outcome a document, in their order; equal content and metadata is `unchanged` and leaves no change behind. */
  put(documents: readonly Document[]): Promise<readonly ('inserted' | 'updated' | 'unchanged')[]>;
  /** Each key with the version of this very read. */
  get(keys: readonly DocumentKey[]): Promise<readonly DocumentRead[]>;
  delete(keys: readonly DocumentKey[]): Promise<number>;
  /** Sets or clears the mark that a document's source no longer holds it; counts those that changed. */
  mark(keys: readonly DocumentKey[], vanished: boolean): Promise<number>;
  /**
   * Documents after `after`, at most `limit` and fewer only at the end; all tenants and origins where none is named. Those that twin
   * keeps come sorted by (tenant, id) as bytes, then those of other collections, each in an order that does not change.
   */
  scan(options: {
    readonly tenant?: string;
    readonly origin?: string;
    readonly after?: DocumentKey;
    readonly limit: number;
    /** Told of what is there and is no document. */
    readonly rejected?: (key: DocumentKey, problem: Problem) => void;
  }): Promise<readonly StoredDocument[]>;
  count(): Promise<number>;
  /** The version of the last change; equal versions mean equal content. */
  version(): Promise<Version>;
  /** The version that a read would have now; never lower than that of an earlier read of the same store. */
  now(): Promise<Version>;
  /** Names this very store: a store made anew has another one. */
  identity(): Promise<string>;
  close(): Promise<void>;
}
