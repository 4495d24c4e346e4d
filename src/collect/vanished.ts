import type { DocumentKey, DocumentStore } from '../ports/document-store.ts';

/** A source that was read, and the ids of all documents that were come upon. */
export interface ReadOrigin {
  readonly tenant: string;
  readonly origin: string;
  readonly seen: ReadonlySet<string>;
  /** Nothing in it was lost; else nothing may be taken for vanished. */
  readonly complete: boolean;
  readonly prune: boolean;
}

/** Documents looked at together. */
const page = 200;

/** Marks or deletes the stored documents that their source no longer holds, and clears the mark of those that it holds again. */
export async function settleVanished(
  { tenant, origin, seen, complete, prune }: ReadOrigin,
  store: DocumentStore,
): Promise<{ vanished: number; restored: number; removed: number }> {
  const counts = { vanished: 0, restored: 0, removed: 0 };
  let after: DocumentKey | undefined;
  for (;;) {
    const documents = await store.scan({ tenant, origin, limit: page, ...(after ? { after } : {}) });
    const gone = complete ? documents.filter(({ id }) => !seen.has(id)) : [];
    const back = documents.filter(({ id, vanished }) => vanished && seen.has(id));
    if (prune && gone.length > 0) counts.removed += await store.delete(gone.map(keyOf));
    const unmarked = prune ? [] : gone.filter(({ vanished }) => !vanished);
    if (unmarked.length > 0) counts.vanished += await store.mark(unmarked.map(keyOf), true);
    if (back.length > 0) counts.restored += await store.mark(back.map(keyOf), false);
    const last = documents.at(-1);
    if (documents.length < page || !last) return counts;
    after = keyOf(last);
  }
}

function keyOf({ tenant, id }: DocumentKey): DocumentKey {
  return { tenant, id };
}
