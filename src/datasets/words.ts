const unspacedScripts =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/**
 * The words of a text as copies are compared: lower case, without accents and punctuation.
 * A character of a script that is written without spaces is a word.
 */
export function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .normalize('NFD')
      .replaceAll(/\p{Mn}/gu, '')
      .replaceAll(unspacedScripts, ' $& ')
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  );
}

/** The distinct runs of n words; a shorter text is one run of all its words, and a text without words has none. */
export function wordRuns(words: readonly string[], n: number): Set<string> {
  const runs = new Set<string>();
  if (words.length === 0) return runs;
  for (let start = 0; start === 0 || start + n <= words.length; start++) runs.add(words.slice(start, start + n).join(' '));
  return runs;
}
