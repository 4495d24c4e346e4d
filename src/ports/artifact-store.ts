import type { Readable } from 'node:stream';

/** What a stored file or folder is known by. */
export interface StoredContent {
  readonly digest: string;
  readonly bytes: number;
}

/** Content as the store holds it. */
export interface StoredEntry extends StoredContent {
  readonly kind: 'file' | 'folder';
  /** When it was put last, in milliseconds; putting content that is there already renews it. */
  readonly putAt: number;
}

/** What staging left behind when its process died. */
export interface StagingLeftover {
  readonly name: string;
  readonly bytes: number;
  /** When anything in it changed last, in milliseconds. */
  readonly changedAt: number;
}

/** Immutable content under its sha256; a folder's digest is that of its manifest. */
export interface ArtifactStore {
  readonly capabilities: {
    /** Other hosts see the same content. */
    readonly shared: boolean;
  };
  /** A new empty folder on the local disk that `putFile` and `putFolder` can take over by rename. */
  stage(): Promise<string>;
  /** Takes a finished local file over (it is gone from its place), synced before the promise resolves. */
  putFile(path: string): Promise<StoredContent>;
  /** Takes a finished local folder over: a manifest of its files' hashes, each file read-only. */
  putFolder(path: string): Promise<StoredContent & { readonly files: number }>;
  /** Whether the content is there whole: sizes compared always, hashes where `verify` asks for it. */
  has(kind: 'file' | 'folder', content: StoredContent, options?: { readonly verify?: boolean }): Promise<boolean>;
  read(digest: string): Promise<Readable>;
  /** A local, read-only path of the file or folder, fetched first where the store is remote. */
  localPath(kind: 'file' | 'folder', digest: string): Promise<string>;
  /**
   * Removes content; true where it went. What is not there is no error, and with `putBefore` content that was put at that time or later stays,
   * as far as the store can hold the two apart: it is looked at as late as possible.
   */
  remove(kind: 'file' | 'folder', digest: string, options?: { readonly putBefore?: number }): Promise<boolean>;
  /** All content, in no order; what was not put here by this port is left out. */
  list(): AsyncIterable<StoredEntry>;
  /** Folders that `stage` made on this machine and that nobody took over: those of running steps, and those that dead ones left. */
  leftovers(): AsyncIterable<StagingLeftover>;
  /** Removes a staging folder by its name. */
  removeLeftover(name: string): Promise<void>;
  close(): Promise<void>;
}
