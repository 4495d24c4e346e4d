import { z } from 'zod';

const count = z.int().nonnegative();

/** What a collection found in one of its sources. */
export const CollectedSource = z.strictObject({
  source: z.string(),
  kind: z.enum(['file', 'folder', 'git']),
  documents: count,
  rejected: count,
  /** Files of kinds that hold no documents, and hidden, linked and installed ones. */
  unsupported: count,
  ignored: count,
  /** Nothing in the source was lost: what it no longer holds has vanished. */
  complete: z.boolean(),
});
export type CollectedSource = z.output<typeof CollectedSource>;

/** What a collection did to the document store, and what it could not take. */
export const Collection = z.strictObject({
  /** Documents that the sources hold, one an address. */
  documents: count,
  inserted: count,
  updated: count,
  unchanged: count,
  /** Documents newly marked as vanished from their source, those whose mark was cleared, and those deleted. */
  vanished: count,
  restored: count,
  removed: count,
  /** Further documents at an address that came again; the last one was kept. */
  duplicates: count,
  /** Documents whose content another address has as well: kept, and the first hundred named. */
  equalContent: count,
  equalContentPairs: z.array(z.strictObject({ address: z.string(), first: z.string() })),
  /** What did not become a document: the first hundred are named. */
  rejected: count,
  rejections: z.array(z.strictObject({ address: z.string(), reason: z.string(), message: z.string() })),
  sources: z.array(CollectedSource),
});
export type Collection = z.output<typeof Collection>;
