import type { Hit } from '../ports/vector-index.ts';

/** One ranked list of hits, best first, and how much its ranks count. */
export interface RankedList {
  readonly weight: number;
  readonly hits: readonly Hit[];
}

/** The constant of reciprocal rank fusion in the paper that introduced it (Cormack, Clarke and Buettcher, 2009). */
export const fusionConstant = 60;

/**
 * Weighted reciprocal rank fusion: a hit scores the sum of weight / (60 + rank) over the lists that hold it, rank from 1.
 * Each id comes out once, best first, ties by id; an id that a list holds twice counts where it stands first.
 */
export function fuse(lists: readonly RankedList[]): Hit[] {
  const fused = new Map<string, Hit>();
  for (const { weight, hits } of lists) {
    const ranked = new Set<string>();
    for (const hit of hits) {
      if (ranked.has(hit.id)) continue;
      ranked.add(hit.id);
      const score = weight / (fusionConstant + ranked.size);
      fused.set(hit.id, { ...hit, score: (fused.get(hit.id)?.score ?? 0) + score });
    }
  }
  return [...fused.values()].toSorted(byScore);
}

/** Best score first, ties by id, so that equal scores cannot change places between two runs. */
export function byScore(left: Hit, right: Hit): number {
  if (left.score !== right.score) return right.score - left.score;
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0;
}
