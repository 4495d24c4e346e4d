import { countCodePoints } from './code-points.ts';
import type { DropCounts } from './drop-counts.ts';

/** Letters and digits drawn by compatibility characters: mathematical, fullwidth, circled, squared, ligatures. */
const FAKE = '\\u{1d400}-\\u{1d7ff}\\uff10-\\uff19\\uff21-\\uff3a\\uff41-\\uff5a\\u24b6-\\u24e9\\u{1f130}-\\u{1f149}\\ufb00-\\ufb06';

/** Letter-like symbols that stand where the mathematical alphabets have holes: fake only beside a fake letter, since `x ∈ ℝ` is meant. */
const HOLES = 'ℂℊℋℌℍℎℐℑℒℕℙℚℛℜℝℤℨℬℭℯℰℱℳℴ';

const ANY_FAKE = new RegExp(`[${FAKE}]`, 'u');
const FAKE_WORD = new RegExp(`(?:[${HOLES}]{0,8}[${FAKE}]\\p{M}{0,8})+[${HOLES}]{0,8}`, 'gu');

/** Whether a text holds fake letters at all. */
export function hasFakeLetters(text: string): boolean {
  return ANY_FAKE.test(text);
}

/** Folds fake letters to real ones by NFKC (UAX 15), each counted; nothing else is changed. */
export function foldFakeLetters(text: string, drops: DropCounts): string {
  return text.replace(FAKE_WORD, (word) => {
    drops.add('fake-letter', countCodePoints(word.replace(/\p{M}/gu, '')));
    return word.normalize('NFKC');
  });
}
