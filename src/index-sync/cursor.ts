import type { Json } from '../contracts/digest.ts';
import type { Cursor } from '../ports/change-feed.ts';
import type { Version } from '../ports/document-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { Totals } from './totals.ts';

/** The table of cursors, one row an index and fingerprint. */
export const cursorTable = 'cursors';

/** How far the index of one fingerprint has come. */
export interface SyncState {
  /** How often it was begun anew beside itself, because the document store was replaced. */
  readonly rebuilds: number;
  /** Null until the first change has been applied. */
  readonly cursor: Cursor | null;
  /** The highest version that was applied. */
  readonly version: Version;
  /** What the index holds; null while changes are being applied: then only the ledger knows. */
  readonly totals: Totals | null;
  /** The generation that this one took the alias from, until that is gone. */
  readonly replaces: string | null;
}

/** A fingerprint of which nothing is known. */
export const newState: SyncState = { rebuilds: 0, cursor: null, version: 0, totals: null, replaces: null };

/** The generation that a fingerprint's name and state name together. */
export function generationIn(fingerprinted: string, { rebuilds }: SyncState): string {
  return rebuilds === 0 ? fingerprinted : `${fingerprinted}-r${rebuilds}`;
}

/** The name of the fingerprint that a generation has; hexadecimal digits never look like a count of rebuilds. */
export function fingerprintedName(generation: string): string {
  return generation.replace(/-r\d+$/, '');
}

/** How far the index of a fingerprint has come, by the name of any of its generations; `newState` where it was never begun. */
export async function readState(store: MetadataStore, generation: string): Promise<SyncState> {
  const [row] = await store.get(cursorTable, [fingerprintedName(generation)]);
  return (row?.row as SyncState | undefined) ?? newState;
}

/** Notes how far the index of a fingerprint has come, on disk before the promise resolves; null forgets it. */
export async function writeState(store: MetadataStore, generation: string, state: SyncState | null): Promise<void> {
  const key = fingerprintedName(generation);
  await store.putMany(cursorTable, [{ key, expectedRevision: null, row: state as unknown as Json }], 'power');
}
