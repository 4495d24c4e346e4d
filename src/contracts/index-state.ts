import { z } from 'zod';
import { Digest } from './document.ts';
import type { Problem } from './problem.ts';

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

/** The problem of an index that was never filled. */
export function noIndex(index: string): Problem {
  return {
    reason: 'no-index',
    message: `There is no index '${index}' yet`,
    expected: 'an index that a feature pipeline has filled',
    found: 'no generation under that name',
    hint: 'Fill it with: twin run feature-pipeline',
    exit: 1,
  };
}
