import type { Json } from '../contracts/digest.ts';
import type { Problem } from '../contracts/problem.ts';
import type { DocumentKey, Version } from '../ports/document-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { Ledger } from './ledger.ts';

/** A document that could not be brought into an index, and why. What the index held of it before stays. */
export interface DeadLetter {
  readonly tenant: string;
  readonly document: string;
  /** Of the read that could not be applied: changes up to it count as settled. */
  readonly version: Version;
  readonly cause: Pick<Problem, 'reason' | 'message' | 'where' | 'expected' | 'found' | 'hint'>;
  /** By the store's clock. */
  readonly at: number;
  /** How often it was tried. */
  readonly tries: number;
  /** Somebody asked for it to be tried again. */
  readonly retry?: boolean;
}

const page = 500;

/** The dead letters of one generation of an index, by document. */
export class DeadLetters {
  readonly #store: MetadataStore;
  readonly #table: string;

  constructor(store: MetadataStore, generation: string) {
    this.#store = store;
    this.#table = `dead-letters:${generation}`;
  }

  async get(keys: readonly DocumentKey[]): Promise<(DeadLetter | null)[]> {
    const rows = await this.#store.get(this.#table, keys.map(Ledger.key));
    return rows.map((row) => (row?.row ?? null) as DeadLetter | null);
  }

  /** Notes documents that cannot be applied. */
  async add(letters: readonly { readonly key: DocumentKey; readonly version: Version; readonly problem: Problem }[]): Promise<void> {
    if (letters.length === 0) return;
    const at = await this.#store.now();
    const known = await this.get(letters.map(({ key }) => key));
    const writes = letters.map(({ key, version, problem: { exit: _exit, ...cause } }, index) => {
      const letter: DeadLetter = { tenant: key.tenant, document: key.id, version, cause, at, tries: (known[index]?.tries ?? 0) + 1 };
      return { key: Ledger.key(key), expectedRevision: null, row: letter as unknown as Json };
    });
    await this.#store.putMany(this.#table, writes, 'power');
  }

  /** Clears those of documents that are well again, or given up; counts them. */
  async clear(keys: readonly DocumentKey[]): Promise<number> {
    const known = await this.get(keys);
    const gone = keys.filter((_, index) => known[index] !== null);
    if (gone.length > 0) {
      await this.#store.putMany(
        this.#table,
        gone.map((key) => ({ key: Ledger.key(key), expectedRevision: null, row: null })),
      );
    }
    return gone.length;
  }

  /** Asks for documents to be tried again by whoever follows the changes; counts those that are dead letters. */
  async askRetry(keys: readonly DocumentKey[]): Promise<number> {
    const known = await this.get(keys);
    const writes = keys.flatMap((key, index) =>
      known[index] === null ? [] : [{ key: Ledger.key(key), expectedRevision: null, row: { ...known[index], retry: true } }],
    );
    await this.#store.putMany(this.#table, writes);
    return writes.length;
  }

  /** Those that are to be tried again. */
  async asked(): Promise<readonly DocumentKey[]> {
    const keys: DocumentKey[] = [];
    for await (const letters of this.all())
      for (const { tenant, document, retry } of letters) if (retry === true) keys.push({ tenant, id: document });
    return keys;
  }

  /** All of them, in pages, by key. */
  async *all(): AsyncGenerator<readonly DeadLetter[]> {
    for (let after = ''; ;) {
      const rows = await this.#store.scan(this.#table, '', after, page);
      if (rows.length > 0) yield rows.map(({ row }) => row as unknown as DeadLetter);
      const last = rows.at(-1);
      if (rows.length < page || last === undefined) return;
      after = last.key;
    }
  }

  async count(): Promise<number> {
    let count = 0;
    for await (const letters of this.all()) count += letters.length;
    return count;
  }

  async empty(): Promise<void> {
    await this.#store.clear(this.#table);
  }
}
