import { pacer } from './pace.ts';
import { wordRuns, wordsOf } from './words.ts';

/** How near-duplicates are looked for, and from which similarity on two texts are duplicates. */
export interface MinHashOptions {
  /** Jaccard similarity of the sets of word runs from which on two texts are near-duplicates. */
  readonly threshold: number;
  /** Words in a run. */
  readonly shingle: number;
  readonly bands: number;
  readonly rows: number;
}

/**
 * Runs of three words, so that one changed word in twenty still makes a near-duplicate.
 * 20 bands of 5 rows: two texts of similarity 0.7 are compared with probability 0.975, of 0.8 with 0.9996, of 0.4 with 0.19.
 */
export const defaultMinHash: MinHashOptions = { threshold: 0.7, shingle: 3, bands: 20, rows: 5 };

/** The S-curve of banding: the probability that two texts of a similarity become candidates, 1 - (1 - s^rows)^bands (Leskovec et al., Mining of Massive Datasets, 3.4). */
export function candidateProbability(similarity: number, { bands, rows }: Pick<MinHashOptions, 'bands' | 'rows'>): number {
  return 1 - (1 - similarity ** rows) ** bands;
}

/** The share of members that two sorted sets have in common; 0 where both are empty, so that texts without words never match. */
export function jaccard(left: Uint32Array, right: Uint32Array): number {
  let common = 0;
  let at = 0;
  for (const member of left) {
    while (at < right.length && right[at]! < member) at++;
    if (right[at] === member) common++;
  }
  const union = left.length + right.length - common;
  return union === 0 ? 0 : common / union;
}

/** The shingles of many texts, in their order. */
export async function shinglesOfAll(texts: readonly string[], shingle: number): Promise<Uint32Array[]> {
  const pace = pacer();
  const shingles: Uint32Array[] = [];
  for (const text of texts) {
    shingles.push(shinglesOf(text, shingle));
    await pace();
  }
  return shingles;
}

/** The runs of words of a text as a sorted set of 32-bit hashes. */
export function shinglesOf(text: string, shingle: number): Uint32Array {
  const hashes = new Set<number>();
  for (const run of wordRuns(wordsOf(text), shingle)) hashes.add(hash32(run));
  return Uint32Array.from(hashes).toSorted();
}

/**
 * Pairs of indexes (lower first) whose MinHash signatures agree in a whole band and whose Jaccard similarity, computed and not estimated, reaches the threshold.
 * Linear in the texts as long as few resemble one another.
 */
export async function nearDuplicatePairs(shingles: readonly Uint32Array[], options: MinHashOptions): Promise<[number, number][]> {
  const pace = pacer();
  const buckets = Array.from({ length: options.bands }, () => new Map<string, number[]>());
  const pairs: [number, number][] = [];
  for (const [index, set] of shingles.entries()) {
    if (set.length === 0) continue;
    await pace();
    const signature = signatureOf(set, options.bands * options.rows);
    const compared = new Set<number>();
    for (const [band, bucket] of buckets.entries()) {
      const key = signature.subarray(band * options.rows, (band + 1) * options.rows).join();
      const members = bucket.getOrInsertComputed(key, () => []);
      for (const other of members) {
        if (compared.has(other)) continue;
        compared.add(other);
        if (jaccard(shingles[other]!, set) >= options.threshold) pairs.push([other, index]);
      }
      members.push(index);
    }
  }
  return pairs;
}

/** The least hash of the set under each of `size` hash functions. */
function signatureOf(set: Uint32Array, size: number): Uint32Array {
  const signature = new Uint32Array(size).fill(0xffffffff);
  for (const member of set) {
    for (let position = 0; position < size; position++) {
      const hash = mix(member ^ Math.imul(position + 1, 0x9e3779b9));
      if (hash < signature[position]!) signature[position] = hash;
    }
  }
  return signature;
}

/** FNV-1a over UTF-16 code units, then mixed: the low bits of FNV alone are poor. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3 (32 bits): a bijection in which each input bit moves half of the output bits. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
