import { sha256 } from '../contracts/digest.ts';
import type { Document } from '../contracts/document.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { Collection } from './collection.ts';

/** Documents and characters that are put at once. */
const batchDocuments = 200;
const batchCharacters = 8_000_000;

/** Puts documents in batches, counts what became of them, and notes those with the content of an earlier one. */
export class DocumentWriter {
  readonly outcomes = { inserted: 0, updated: 0, unchanged: 0 };
  readonly equal = { equalContent: 0, equalContentPairs: [] as Collection['equalContentPairs'] };
  readonly #store: DocumentStore;
  readonly #named: number;
  /** The first address of each content. */
  readonly #addresses = new Map<string, string>();
  #batch: Document[] = [];
  #characters = 0;

  /** `named`: how many documents of equal content are named. */
  constructor(store: DocumentStore, named: number) {
    this.#store = store;
    this.#named = named;
  }

  async put(document: Document): Promise<void> {
    this.#flagEqual(document);
    this.#batch.push(document);
    this.#characters += document.content.length;
    if (this.#batch.length >= batchDocuments || this.#characters >= batchCharacters) await this.flush();
  }

  async flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    this.#characters = 0;
    if (batch.length === 0) return;
    for (const outcome of await this.#store.put(batch)) this.outcomes[outcome] += 1;
  }

  #flagEqual({ content, address }: Document): void {
    // Half of a digest is plenty to tell documents apart, and a hundred thousand of them stay small.
    const digest = sha256(content).slice(0, 32);
    const first = this.#addresses.get(digest);
    if (first === undefined) this.#addresses.set(digest, address);
    else {
      this.equal.equalContent += 1;
      if (this.equal.equalContentPairs.length < this.#named) this.equal.equalContentPairs.push({ address, first });
    }
  }
}
