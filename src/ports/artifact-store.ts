import type { Readable } from 'node:stream';

/** What a stored file or folder is known by. */
export interface StoredContent {
  readonly digest: string;
  readonly bytes: number;
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
  /** Removes content; what is not there is no error. */
  remove(kind: 'file' | 'folder', digest: string): Promise<void>;
  close(): Promise<void>;
}
