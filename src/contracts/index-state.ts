import { z } from 'zod';
import { Digest } from './document.ts';

/** What an index holds: equal content is an equal value, however it came about. */
export const IndexState = z.strictObject({
  /** The alias that readers use. */
  index: z.string(),
  generation: z.string(),
  documents: z.int().nonnegative(),
  points: z.int().nonnegative(),
  /** Digest of all point ids and payload hashes, versions left out. */
  setHash: Digest,
});
export type IndexState = z.output<typeof IndexState>;
