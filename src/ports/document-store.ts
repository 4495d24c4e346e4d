import type { Document, StoredDocument } from '../contracts/document.ts';

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
  /** Documents after `after`, sorted by (tenant, id) as bytes, at most `limit`; all tenants and origins where none is named. */
  scan(options: {
    readonly tenant?: string;
    readonly origin?: string;
    readonly after?: DocumentKey;
    readonly limit: number;
  }): Promise<readonly StoredDocument[]>;
  count(): Promise<number>;
  /** The version of the last change; equal versions mean equal content. */
  version(): Promise<Version>;
  /** Names this very store: a store made anew has another one. */
  identity(): Promise<string>;
  close(): Promise<void>;
}
