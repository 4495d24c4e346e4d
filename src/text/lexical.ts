/** Longest term in code units; what is longer is cut to it, in documents and questions alike. */
const LONGEST_TERM = 64;

const RUN = /[\p{L}\p{N}_]+/gu;
const PLAIN = /^[a-z0-9]+$/;

/** Scripts that are written without spaces between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;

/**
 * The terms of a text for lexical search, in order and with repetitions: the one tokenizer of documents and questions.
 *
 * NFKC, marks removed, lower case; then runs of letters, digits and underscores. An identifier in camelCase or snake_case gives its parts after itself;
 * a run in a script without spaces gives its characters and their pairs. Terms hold letters, digits and underscores alone,
 * so that FTS5's `unicode61 remove_diacritics 0 tokenchars '_'` leaves them as they are.
 */
export function lexicalTerms(text: string): string[] {
  const terms: string[] = [];
  for (const [run] of text
    .normalize('NFKC')
    .replace(/\p{M}+/gu, '')
    .matchAll(RUN)) {
    if (PLAIN.test(run)) terms.push(run.slice(0, LONGEST_TERM));
    else addRun(run, terms);
  }
  return terms;
}

function addRun(run: string, terms: string[]): void {
  if (run.search(UNSPACED) === -1) {
    addIdentifier(run, terms);
    return;
  }
  let at = 0;
  for (const unspaced of run.matchAll(UNSPACED)) {
    addIdentifier(run.slice(at, unspaced.index), terms);
    addPairs(unspaced[0], terms);
    at = unspaced.index + unspaced[0].length;
  }
  addIdentifier(run.slice(at), terms);
}

function addIdentifier(run: string, terms: string[]): void {
  const whole = term(run);
  if (whole === '') return;
  terms.push(whole);
  const parts = run
    .replace(/([\p{Ll}\p{N}])(?=\p{Lu})|(\p{Lu})(?=\p{Lu}\p{Ll})/gu, '$&_')
    .split(/_+/)
    .map(term)
    .filter((part) => part !== '');
  if (parts.length > 1 || parts[0] !== whole) terms.push(...parts);
}

function addPairs(unspaced: string, terms: string[]): void {
  let before = '';
  for (const character of unspaced) {
    terms.push(character);
    if (before !== '') terms.push(before + character);
    before = character;
  }
}

/** A run in lower case; empty where it holds neither letter nor digit. The final sigma is written as any other, as FTS5 folds it. */
function term(run: string): string {
  const lower = run
    .slice(0, LONGEST_TERM)
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replaceAll('ς', 'σ');
  return /[\p{L}\p{N}]/u.test(lower) ? lower : '';
}
