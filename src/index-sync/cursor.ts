import type { Json } from '../contracts/digest.ts';
import type { Cursor } from '../ports/change-feed.ts';
import type { Version } from '../ports/document-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { Totals } from './totals.ts';

/** The table of cursors, one row a generation. */
export const cursorTable = 'cursors';

/** How far a generation has come. */
export interface SyncState {
  /** Null until the first change has been applied. */
  readonly cursor: Cursor | null;
  /** The highest version that was applied. */
  readonly version: Version;
  /** What the index holds; null while changes are being applied: then only the ledger knows. */
  readonly totals: Totals | null;
  /** The generation that this one took the alias from, until that is gone. */
  readonly replaces: string | null;
}

/** A generation of which nothing is known. */
export const newState: SyncState = { cursor: null, version: 0, totals: null, replaces: null };

/** How far a generation has come; `newState` where it was never begun. */
export async function readState(store: MetadataStore, generation: string): Promise<SyncState> {
  const [row] = await store.get(cursorTable, [generation]);
  return (row?.row as SyncState | undefined) ?? newState;
}

/** Notes how far a generation has come, on disk before the promise resolves. */
export async function writeState(store: MetadataStore, generation: string, state: SyncState): Promise<void> {
  await store.putMany(cursorTable, [{ key: generation, expectedRevision: null, row: state as unknown as Json }], 'power');
}

/** Forgets a generation that is gone. */
export async function forgetState(store: MetadataStore, generation: string): Promise<void> {
  await store.putMany(cursorTable, [{ key: generation, expectedRevision: null, row: null }], 'power');
}
