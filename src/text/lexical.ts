/** Longest term in code units; what is longer is cut to it, in documents and questions alike. */
const LONGEST_TERM = 64;

const RUN = /[\p{L}\p{N}_]+/gu;
const ASCII_RUN = /\w+/g;

/** A word that has no parts: nearly all are. */
const WORD = /^(?:[A-Z]?[a-z0-9]{1,63}|[A-Z]{1,64})$/;

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
  const ascii = isAscii(text);
  const runs = ascii
    ? text.match(ASCII_RUN)
    : text
        .normalize('NFKC')
        .replace(/\p{M}+/gu, '')
        .match(RUN);
  for (const run of runs ?? []) {
    if (WORD.test(run)) terms.push(run.toLowerCase());
    else if (ascii || isAscii(run)) addIdentifier(run, terms);
    else addRun(run, terms);
  }
  return terms;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) >= 0x80) return false;
  }
  return true;
}

function addRun(run: string, terms: string[]): void {
  let at = 0;
  for (const unspaced of run.matchAll(UNSPACED)) {
    addIdentifier(run.slice(at, unspaced.index), terms);
    addPairs(unspaced[0], terms);
    at = unspaced.index + unspaced[0].length;
  }
  addIdentifier(run.slice(at), terms);
}

/** The whole run, then its parts where it has several. */
function addIdentifier(run: string, terms: string[]): void {
  const whole = term(run);
  if (whole === '') return;
  terms.push(whole);
  const parts = run
    .replace(/([\p{Ll}\p{N}])(?=\p{Lu})|(\p{Lu})(?=\p{Lu}\p{Ll})/gu, '$&_')
    .split('_')
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
  const cut = run.length > LONGEST_TERM ? run.slice(0, LONGEST_TERM).replace(/[\ud800-\udbff]$/, '') : run;
  const lower = cut.toLowerCase();
  if (!isAscii(lower)) return lower.replace(/\p{M}+/gu, '').replaceAll('ς', 'σ');
  return /[a-z0-9]/.test(lower) ? lower : '';
}
