import type { IndexState } from '../contracts/index-state.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import { readState } from './cursor.ts';
import { countLedger } from './totals.ts';
import { Ledger } from './ledger.ts';

/** What readers of an index find: its generation and what that holds; null where the alias names none. */
export async function readIndexState(
  index: string,
  ports: { readonly metadataStore: MetadataStore; readonly vectorIndex: VectorIndex },
): Promise<IndexState | null> {
  const generation = await ports.vectorIndex.alias(index);
  if (generation === null) return null;
  // Totals are null while changes are being applied, or after a crash in the midst of it: then the ledger is counted.
  const { totals } = await readState(ports.metadataStore, generation);
  return { index, generation, ...(totals ?? (await countLedger(new Ledger(ports.metadataStore, generation)))) };
}
