import type { Json } from '../contracts/digest.ts';
import type { DocumentKey, Version } from '../ports/document-store.ts';
import type { Durability, MetadataStore, RowWrite } from '../ports/metadata-store.ts';

/** What the ledger knows of one document in one generation of an index. */
export interface LedgerEntry {
  readonly tenant: string;
  readonly document: string;
  /** The version of the read that this entry is about. */
  readonly version: Version;
  /** `intent`: the points may or may not stand in the index yet. `deleted`: a tombstone. */
  readonly state: 'intent' | 'applied' | 'deleted';
  /** Id and payload hash of each point, in the order of the document. */
  readonly points: readonly (readonly [id: string, payloadHash: string])[];
  /** Ids that may still stand in the index and shall not; of an intent alone. */
  readonly removing: readonly string[];
  /** The process that wrote it; whoever keeps totals sees by it that another one was there. */
  readonly writer?: string;
}

/** An entry with its place in the ledger; null stands for a document never seen. */
export interface LedgerRow {
  readonly key: string;
  readonly revision: number;
  readonly entry: LedgerEntry | null;
}

/**
 * A tombstone is kept so long: longer than any reader of changes may stay away before its place in the history is lost, and than any writer may hold
 * on to what it read before the document went.
 */
const tombstoneMs = 30 * 24 * 3600_000;
/** Rows read together by a scan. */
const page = 500;

/** The ledger of one generation: what was, or is about to be, written to the index for each document. */
export class Ledger {
  readonly table: string;
  readonly #store: MetadataStore;

  constructor(store: MetadataStore, generation: string) {
    this.#store = store;
    this.table = `ledger:${generation}`;
  }

  /** The key of a document's row. */
  static key({ tenant, id }: DocumentKey): string {
    return `${tenant}/${id}`;
  }

  async get(keys: readonly DocumentKey[]): Promise<LedgerRow[]> {
    const names = keys.map(Ledger.key);
    const rows = await this.#store.get(this.table, names);
    return rows.map((row, index) => ({
      key: names[index]!,
      revision: row?.revision ?? 0,
      entry: (row?.row ?? null) as LedgerEntry | null,
    }));
  }

  /** Replaces rows that are still as they were read; the revision of each, or null where another writer came first. */
  async replace(
    writes: readonly { readonly row: LedgerRow; readonly entry: LedgerEntry }[],
    durability: Durability,
  ): Promise<(number | null)[]> {
    if (writes.length === 0) return [];
    const outcomes = await this.#store.putMany(
      this.table,
      writes.map(({ row, entry }): RowWrite => {
        const write = { key: row.key, expectedRevision: row.revision, row: entry as unknown as Json };
        return entry.state === 'deleted' ? { ...write, expiresInMs: tombstoneMs } : write;
      }),
      durability,
    );
    return outcomes.map((outcome) => (outcome.ok ? outcome.revision : null));
  }

  /** All entries, in pages. */
  async *entries(): AsyncGenerator<readonly LedgerEntry[]> {
    for (let after = ''; ;) {
      const rows = await this.#store.scan(this.table, '', after, page);
      yield rows.map(({ row }) => row as unknown as LedgerEntry);
      const last = rows.at(-1);
      if (rows.length < page || !last) return;
      after = last.key;
    }
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#store.scan(this.table, '', '', 1)).length === 0;
  }

  async clear(): Promise<void> {
    await this.#store.clear(this.table);
  }
}
