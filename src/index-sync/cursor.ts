import type { Json } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { Cursor } from '../ports/change-feed.ts';
import type { Version } from '../ports/document-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { Totals } from './totals.ts';

/** The table of cursors, one row an index and fingerprint. */
export const cursorTable = 'cursors';

/** Changes that can no longer be read: known until a person has the index reconciled. */
export interface Gap {
  readonly message: string;
  /** By the store's clock. */
  readonly at: number;
  /** Another store is configured: over as soon as the right one is back. */
  readonly otherStore: boolean;
}

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
  /** The process that kept these totals: what it wrote to the ledger is in them. */
  readonly countedBy: string | null;
  /** What the ledger knows and the store does not is still to be removed: a first read of all documents began over an index that held some. */
  readonly sweep: boolean;
  readonly gap: Gap | null;
  /** Counts the processes that followed the changes: whoever wrote last is the one that may go on. */
  readonly epoch: number;
}

/** A fingerprint of which nothing is known. */
export const newState: SyncState = {
  rebuilds: 0,
  cursor: null,
  version: 0,
  totals: null,
  countedBy: null,
  sweep: false,
  gap: null,
  epoch: 0,
};

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
  return { ...newState, ...(row?.row as SyncState | undefined) };
}

/** The generation that every fingerprint is at, whether it has served yet or not. */
export async function begunGenerations(store: MetadataStore): Promise<readonly string[]> {
  const generations: string[] = [];
  for (let after = ''; ;) {
    const rows = await store.scan(cursorTable, '', after, 200);
    generations.push(...rows.map(({ key, row }) => generationIn(key, { ...newState, ...(row as unknown as SyncState) })));
    const last = rows.at(-1);
    if (rows.length < 200 || last === undefined) return generations;
    after = last.key;
  }
}

/** Forgets how far the index of a fingerprint has come. */
export async function forgetState(store: MetadataStore, generation: string): Promise<void> {
  await store.putMany(cursorTable, [{ key: fingerprintedName(generation), expectedRevision: null, row: null }], 'power');
}

/**
 * The state in the hands of one process. Each write replaces what this process read or wrote last and nothing else, so that a process which lost
 * its hold, slept, and wakes up cannot move the cursor of the one that took over.
 */
export class StateKeeper {
  state: SyncState;
  readonly #store: MetadataStore;
  readonly #key: string;
  #revision: number;
  #writes: Promise<void> = Promise.resolve();

  private constructor(store: MetadataStore, key: string, state: SyncState, revision: number) {
    this.#store = store;
    this.#key = key;
    this.state = state;
    this.#revision = revision;
  }

  /** Reads the state of a fingerprint; the first write takes hold of it. */
  static async open(store: MetadataStore, generation: string): Promise<StateKeeper> {
    const key = fingerprintedName(generation);
    const [row] = await store.get(cursorTable, [key]);
    const state = { ...newState, ...(row?.row as SyncState | undefined) };
    return new StateKeeper(store, key, { ...state, epoch: state.epoch + 1 }, row?.revision ?? 0);
  }

  /** Changes the state, on disk before the promise resolves. */
  save(change: Partial<SyncState>): Promise<void> {
    this.state = { ...this.state, ...change };
    const write = this.#writes.then(() => this.#write());
    this.#writes = write.catch(() => undefined);
    return write;
  }

  async #write(): Promise<void> {
    const write = { key: this.#key, expectedRevision: this.#revision, row: this.state as unknown as Json };
    const [outcome] = await this.#store.putMany(cursorTable, [write], 'power');
    if (outcome!.ok) this.#revision = outcome!.revision;
    else {
      throw new ProblemError({
        reason: 'fenced',
        message: `Another process has taken over the changes of ${this.#key}`,
        where: this.#key,
        expected: 'this process to be the only one that follows them',
        found: 'a cursor that another process wrote meanwhile',
        hint: 'Was this machine suspended? Nothing is lost: the other process goes on. Run it again where none is running.',
        exit: 1,
      });
    }
  }
}
