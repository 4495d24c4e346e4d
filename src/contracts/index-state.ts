import { z } from 'zod';
import { Verdict } from './artifact.ts';
import { digestOf } from './digest.ts';
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

/** A count that was expected and the one that was found. */
const Compared = z.strictObject({ expected: z.int(), found: z.int() });

/** Whether a generation may take over the name of its index, and what was looked at. Where it has it already, nothing was. */
export const IndexVerdict = z.strictObject({
  /** `undecided`: a person has rolled this generation back, and has not switched to it since. */
  verdict: Verdict,
  reasons: z.array(z.string()),
  generation: z.string(),
  checks: z
    .strictObject({
      /** The generation that readers found before. */
      replaces: z.string().nullable(),
      documents: Compared,
      points: Compared,
      /** Points of documents drawn by hash, worked out anew from the source, and how many are not as they should be. */
      sample: z.strictObject({ documents: z.int(), points: z.int(), wrong: z.int() }),
      /** How many points of the sample a search for their own vector brings back among its first ten. */
      recall: z.strictObject({ asked: z.int(), found: z.int(), floor: z.number() }),
    })
    .nullable(),
});
export type IndexVerdict = z.output<typeof IndexVerdict>;

/** The name by which readers with one embedder find the generation of an index that was made with it: two models never meet in a search. */
export function embedderAlias(index: string, embedder: string): string {
  return `${index}-for-${digestOf(embedder).slice(0, 12)}`;
}

/** The problem of an index that was made with another embedder than the reader has. */
export function otherEmbedder(index: string, embedder: string): Problem {
  return {
    reason: 'other-embedder',
    message: `The index '${index}' holds no generation that was made with the configured embedder`,
    expected: `vectors of ${embedder}`,
    found: 'vectors of another embedder',
    hint: 'Build one beside the other, which readers with that embedder still find: twin run feature-pipeline',
    exit: 1,
  };
}

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
