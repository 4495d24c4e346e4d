/**
 * How text becomes tokens for ROUGE.
 * `rouge-score` is the tokenizer of the Python package of that name, without stemming: lower case, and everything but a-z and 0-9 separates.
 * `unicode-words` keeps letters, marks and digits of every script, and takes each character of a script that is written without spaces as a token.
 */
export type RougeTokenizer = 'rouge-score' | 'unicode-words';

/** Overlap of a generated text with its reference, each from 0 to 1. */
export interface RougeScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Names everything that a ROUGE-L figure depends on; figures under different signatures do not compare. */
export function rougeSignature(tokenizer: RougeTokenizer): string {
  return `rouge-l|tokenizer:${tokenizer}|stemmer:none|beta:1|version:1`;
}

const unspacedScripts =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*/gu;

/**
 * The tokenizer that fits a corpus of references: that of `rouge-score` unless more than a tenth of the letters lie outside a-z,
 * which it would drop without a word (a text in Greek would score 0 against itself).
 */
export function rougeTokenizerFor(references: Iterable<string>): RougeTokenizer {
  let letters = 0;
  let foreign = 0;
  for (const reference of references) {
    letters += reference.match(/\p{L}/gu)?.length ?? 0;
    foreign += reference.match(/[^\P{L}A-Za-z]/gu)?.length ?? 0;
  }
  return foreign > letters / 10 ? 'unicode-words' : 'rouge-score';
}

/** The tokens that ROUGE compares. */
export function rougeTokens(text: string, tokenizer: RougeTokenizer): string[] {
  if (tokenizer === 'rouge-score') return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .replaceAll(unspacedScripts, ' $& ')
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  );
}

/**
 * ROUGE-L at sentence level over whole texts (Lin 2004), as `rouge-score` computes `rougeL`:
 * the longest common subsequence against the lengths of both texts. All zero where either has no token.
 */
export function rougeL(reference: string, generated: string, tokenizer: RougeTokenizer): RougeScore {
  const expected = rougeTokens(reference, tokenizer);
  const found = rougeTokens(generated, tokenizer);
  const common = longestCommonSubsequence(expected, found);
  if (common === 0) return { precision: 0, recall: 0, f1: 0 };
  const precision = common / found.length;
  const recall = common / expected.length;
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

function longestCommonSubsequence(left: readonly string[], right: readonly string[]): number {
  let previous = new Uint32Array(right.length + 1);
  let current = new Uint32Array(right.length + 1);
  for (const token of left) {
    for (let column = 1; column <= right.length; column++) {
      current[column] = token === right[column - 1] ? previous[column - 1]! + 1 : Math.max(previous[column]!, current[column - 1]!);
    }
    [previous, current] = [current, previous];
  }
  return previous[right.length]!;
}
