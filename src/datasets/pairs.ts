import type { InstructionSample, PreferencePair } from '../contracts/dataset.ts';
import { canonicalJson, uuidv5 } from '../contracts/digest.ts';
import { byId, findDuplicates } from './deduplicate.ts';
import { defaultMinHash, jaccard, shinglesOf } from './minhash.ts';
import { lengthOf } from './pieces.ts';
import { findPlaceholder } from './placeholder.ts';

/** What makes a pair useful. */
export interface PairLimits {
  /** Least length of either answer, in code points. */
  readonly minimumCharacters: number;
  /** Similarity of the answers (Jaccard, runs of three words) from which on they are too much alike. */
  readonly maximumSimilarity: number;
  /** The most by which one answer may be longer than the other, as a share of the shorter. */
  readonly lengthTolerance: number;
}

/** Why a sample gave no pair. */
export type PairRefusal = 'no-answer' | 'empty-answer' | 'too-short' | 'near-equal' | 'unequal-length' | 'placeholder';

/**
 * The pair of the author's answer, to prefer, and a model's, to avoid; or why there is none.
 * Both are cut to about one length, the model's between words and the author's after a sentence, so that length does not tell them apart.
 */
export function pairOf(sample: InstructionSample, generated: string | undefined, limits: PairLimits): PreferencePair | PairRefusal {
  if (generated === undefined) return 'no-answer';
  const answer = generated.trim();
  if (answer === '') return 'empty-answer';
  if (lengthOf(answer) < limits.minimumCharacters) return 'too-short';
  const chosen = cutAfterSentence(sample.answer, Math.floor(lengthOf(answer) * (1 + limits.lengthTolerance)));
  if (chosen === null) return 'unequal-length';
  const rejected = cutAfterWord(answer, Math.floor(lengthOf(chosen) * (1 + limits.lengthTolerance)));
  if (lengthOf(chosen) < limits.minimumCharacters || lengthOf(rejected) < limits.minimumCharacters) return 'too-short';
  // A cut may open a code span, and what it quoted then reads as a slot.
  if (findPlaceholder(chosen) !== null) return 'placeholder';
  if (jaccard(shinglesOf(chosen, 3), shinglesOf(rejected, 3)) >= limits.maximumSimilarity) return 'near-equal';
  return {
    id: uuidv5(canonicalJson(['preference-pair', sample.instruction, chosen, rejected])),
    prompt: sample.instruction,
    chosen,
    rejected,
    document: sample.document,
    sources: sample.sources,
  };
}

/** Pairs whose chosen answers differ, sorted by id, and the rest counted by reason: two answers that start alike may be one once they are cut. */
export async function distinctPairs(
  pairs: readonly PreferencePair[],
): Promise<{ readonly kept: PreferencePair[]; readonly dropped: Readonly<Record<string, number>> }> {
  const duplicates = await findDuplicates(
    pairs.map(({ id, chosen }) => ({ id, text: chosen })),
    defaultMinHash,
  );
  const gone = new Set(duplicates.map(({ id }) => id));
  const dropped: Record<string, number> = {};
  for (const { reason } of duplicates) dropped[reason] = (dropped[reason] ?? 0) + 1;
  return { kept: pairs.filter(({ id }) => !gone.has(id)).toSorted(byId), dropped };
}

/** The longest start of a text that ends with a sentence and has at most `maximum` code points; null where there is none, or where it would end inside a code block. */
function cutAfterSentence(text: string, maximum: number): string | null {
  const characters = [...text];
  if (characters.length <= maximum) return text;
  const start = characters.slice(0, maximum + 1).join('');
  const sentence = /^[\s\S]*(?:[.!?]["'”’)\]*_`]*(?=\s)|[。！？]|(?=\n[ \t]*\n))/.exec(start)?.[0].trimEnd();
  if (sentence === undefined || sentence === '' || (sentence.match(/^[\t >*-]*(?:`{3,}|~{3,})/gm)?.length ?? 0) % 2 === 1) return null;
  return sentence;
}

/** The longest start of a text that ends with a word and has at most `maximum` code points. */
function cutAfterWord(text: string, maximum: number): string {
  const characters = [...text];
  if (characters.length <= maximum) return text;
  const start = characters.slice(0, maximum + 1).join('');
  return (/^[\s\S]*\S(?=\s)/.exec(start)?.[0] ?? characters.slice(0, maximum).join('')).trimEnd();
}
