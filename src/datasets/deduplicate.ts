import { jaccard, nearDuplicatePairs, shinglesOfAll, type MinHashOptions } from './minhash.ts';
import { wordsOf } from './words.ts';

/** A text under the id that decides which copy stays: the lowest. */
export interface IdentifiedText {
  readonly id: string;
  readonly text: string;
}

/** A text that another one stands for. */
export interface Duplicate {
  readonly id: string;
  readonly reason: 'exact-duplicate' | 'near-duplicate';
  /** The lowest id of the cluster. */
  readonly survivor: string;
  /** Jaccard similarity with the survivor; may lie below the threshold where others stand between. */
  readonly similarity: number;
}

/**
 * Every text but one of each cluster of copies, sorted by id.
 * Exact copies have the same words in the same order; near ones share enough runs of words. Copies of copies are of one cluster.
 */
export async function findDuplicates(texts: readonly IdentifiedText[], options: MinHashOptions): Promise<Duplicate[]> {
  const ordered = texts.toSorted(byId);
  const keys = ordered.map(({ text }) => wordsOf(text).join(' '));
  const shingles = await shinglesOfAll(
    ordered.map(({ text }) => text),
    options.shingle,
  );
  const clusters = new DisjointSets(ordered.length);
  const firstWithKey = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    if (key !== '') clusters.union(firstWithKey.getOrInsert(key, index), index);
  }
  // Exact copies are one text to the search, or a set of a thousand of them would cost a million comparisons.
  const distinct = keys.map((key, index) => (firstWithKey.get(key) === index ? shingles[index]! : new Uint32Array()));
  for (const [left, right] of await nearDuplicatePairs(distinct, options)) clusters.union(left, right);
  return ordered.flatMap(({ id }, index): Duplicate[] => {
    const survivor = clusters.find(index);
    if (survivor === index) return [];
    const exact = keys[survivor] === keys[index];
    return [
      {
        id,
        reason: exact ? 'exact-duplicate' : 'near-duplicate',
        survivor: ordered[survivor]!.id,
        similarity: exact ? 1 : jaccard(shingles[survivor]!, shingles[index]!),
      },
    ];
  });
}

/** Orders by id, by UTF-16 code units, in every locale alike. */
export function byId(left: { readonly id: string }, right: { readonly id: string }): number {
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0;
}

/** Union-find whose representative is the lowest member. */
class DisjointSets {
  readonly #parents: Uint32Array;

  constructor(size: number) {
    this.#parents = Uint32Array.from({ length: size }, (_, index) => index);
  }

  find(member: number): number {
    let root = member;
    while (this.#parents[root] !== root) {
      this.#parents[root] = this.#parents[this.#parents[root]!]!;
      root = this.#parents[root]!;
    }
    return root;
  }

  union(left: number, right: number): void {
    const [lower, higher] = [this.find(left), this.find(right)].toSorted((one, other) => one - other) as [number, number];
    this.#parents[higher] = lower;
  }
}
