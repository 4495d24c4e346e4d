import { randomUUID } from 'node:crypto';
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
  const head = await ports.changeFeed.head(cursor);
  // A change may arrive after the last one was applied and before this is asked. A token of an index that is behind never
  // repeats, so that it cannot be taken for a state that was left on purpose.
  const behind = head !== null && cursor?.source === head.source && cursor.change === head.change ? null : randomUUID();
  return digestOf({ generation, totals, source: head?.source ?? null, change: head?.change ?? null, behind });
}
