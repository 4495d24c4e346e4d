import type { Json } from '../contracts/digest.ts';
import type { DocumentKey, Version } from '../ports/document-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import { Ledger } from './ledger.ts';

/** Ids that a writer may still insert although its intent was superseded: a condition on the version cannot stop the insert of what is not there. */
interface Sweep {
  readonly tenant: string;
  readonly ids: readonly string[];
  /** Of the superseding writer: what it and those after it wrote is not lower. */
  readonly below: Version;
  /** When no writer of the superseded intent can be alive any more, by the store's clock. */
  readonly due: number;
}

/** How long a writer may take between its intent and its last write; one that took longer gives up by itself. */
export const writerLeaseMs = 5 * 60_000;
const page = 200;

/** What is to be removed once superseded writers are surely gone. */
export class Sweeps {
  readonly #store: MetadataStore;
  readonly #generation: string;
  readonly #table: string;

  constructor(store: MetadataStore, generation: string) {
    this.#store = store;
    this.#generation = generation;
    this.#table = `sweeps:${generation}`;
  }

  /** Notes the ids of intents that were superseded. */
  async add(
    superseded: readonly {
      readonly key: DocumentKey;
      readonly revision: number;
      readonly ids: readonly string[];
      readonly below: Version;
    }[],
  ): Promise<void> {
    if (superseded.length === 0) return;
    const due = (await this.#store.now()) + writerLeaseMs;
    const writes = superseded.map(({ key, revision, ids, below }) => {
      const sweep: Sweep = { tenant: key.tenant, ids, below, due };
      return { key: `${Ledger.key(key)}/${revision}`, expectedRevision: null, row: sweep as unknown as Json };
    });
    await this.#store.putMany(this.#table, writes, 'power');
  }

  /** Removes what superseded writers may have left, as far as it is due; counts the records that are done. */
  async run(vectorIndex: VectorIndex, { all = false }: { readonly all?: boolean } = {}): Promise<number> {
    const now = await this.#store.now();
    let done = 0;
    for (let after = ''; ;) {
      const rows = await this.#store.scan(this.#table, '', after, page);
      for (const { key, row, revision } of rows) {
        const { tenant, ids, below, due } = row as unknown as Sweep;
        if (due > now && !all) continue;
        await vectorIndex.remove(this.#generation, tenant, ids, below - 1);
        await this.#store.putMany(this.#table, [{ key, expectedRevision: revision, row: null }]);
        done += 1;
      }
      const last = rows.at(-1);
      if (rows.length < page || last === undefined) return done;
      after = last.key;
    }
  }

  async empty(): Promise<void> {
    await this.#store.clear(this.#table);
  }
}
