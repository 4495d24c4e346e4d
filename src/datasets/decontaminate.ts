import type { IdentifiedText } from './deduplicate.ts';
import { byId } from './deduplicate.ts';
import { pacer } from './pace.ts';
import { wordsOf } from './words.ts';

/** A training text that holds words of a held-out one. */
export interface Contamination {
  readonly id: string;
  /** The held-out text of the longest run in common. */
  readonly heldOut: string;
  /** Words of that run. */
  readonly longestRun: number;
}

/**
 * The training texts that share a run of `n` words with a held-out text, in order of id (the 13-gram overlap of GPT-3, Brown et al. 2020, appendix C).
 * A held-out text of fewer words counts as one run, looked for whole; one without words contaminates nothing.
 */
export async function findContamination(
  training: readonly IdentifiedText[],
  heldOut: readonly IdentifiedText[],
  n: number,
): Promise<Contamination[]> {
  const pace = pacer();
  const held = heldOut.toSorted(byId).map(({ id, text }) => ({ id, words: wordsOf(text) }));
  const places = new Map<string, { text: number; at: number }>();
  const lengths = new Set<number>();
  for (const [text, { words }] of held.entries()) {
    const length = Math.min(n, words.length);
    if (length === 0) continue;
    lengths.add(length);
    for (let at = 0; at + length <= words.length; at++) places.getOrInsert(words.slice(at, at + length).join(' '), { text, at });
    await pace();
  }
  const found: Contamination[] = [];
  for (const { id, text } of training.toSorted(byId)) {
    const words = wordsOf(text);
    let longest: Contamination | null = null;
    for (const length of lengths) {
      for (let at = 0; at + length <= words.length; at++) {
        const place = places.get(words.slice(at, at + length).join(' '));
        if (place === undefined) continue;
        const source = held[place.text]!;
        let run = length;
        while (at + run < words.length && words[at + run] === source.words[place.at + run]) run++;
        if (longest === null || run > longest.longestRun) longest = { id, heldOut: source.id, longestRun: run };
        at += run - length;
      }
    }
    if (longest !== null) found.push(longest);
    await pace();
  }
  return found;
}
