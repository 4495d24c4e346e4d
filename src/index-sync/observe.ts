import { digestOf } from '../contracts/digest.ts';
import type { ChangeFeed } from '../ports/change-feed.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import { readState } from './cursor.ts';

/** A token of an index and its source: what readers find, what it holds, how far it came, and how far the source is. */
export async function observeIndex(
  index: string,
  ports: { readonly changeFeed: ChangeFeed; readonly metadataStore: MetadataStore; readonly vectorIndex: VectorIndex },
): Promise<string> {
  const generation = await ports.vectorIndex.alias(index);
  const { cursor, totals } = generation === null ? { cursor: null, totals: null } : await readState(ports.metadataStore, generation);
  return digestOf({ generation, cursor, totals, head: await ports.changeFeed.head() });
}
