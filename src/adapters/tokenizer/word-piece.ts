import { newerCharacter } from './newer-characters.ts';

/** Longer words are unknown as a whole, as BERT has it; in code points. */
const longestWord = 100;
/** Pieces whose counts are kept; about 20 MB when full. */
const remembered = 100_000;

/**
 * Counts the tokens of BERT's uncased WordPiece exactly as the tokenizers library of the embedder does
 * (normalizer `BertNormalizer`, pre-tokenizer `BertPreTokenizer`, model `WordPiece` with prefix `##`), without the special tokens around a text.
 * White space separates tokens whatever stands around it, so a text's count is the sum over its pieces, and a piece is counted once.
 */
export class WordPieceCounter {
  readonly #heads = new Set<string>();
  /** Tokens that go on within a word, without their `##`. */
  readonly #tails = new Set<string>();
  readonly #longest: number;
  readonly #special: RegExp;
  readonly #counts = new Map<string, number>();

  /** `special`: tokens like `[SEP]` that are one token wherever they stand in a text. */
  constructor(vocabulary: readonly string[], special: readonly string[]) {
    for (const token of vocabulary) {
      if (token.startsWith('##')) this.#tails.add(token.slice(2));
      // A word `##` is punctuation, so a token that starts with it can be no head.
      else this.#heads.add(token);
    }
    this.#longest = vocabulary.reduce((longest, token) => Math.max(longest, token.length), 0);
    this.#special = new RegExp(`(${special.map((token) => RegExp.escape(token)).join('|')})`);
  }

  /** Tokens of a text. */
  count(text: string): number {
    let total = 0;
    let start = -1;
    for (let index = 0; index <= text.length; index += 1) {
      if (index < text.length && !isSeparator(text.charCodeAt(index))) {
        if (start === -1) start = index;
      } else if (start !== -1) {
        total += this.#countPiece(text.slice(start, index));
        start = -1;
      }
    }
    return total;
  }

  #countPiece(piece: string): number {
    const known = this.#counts.get(piece);
    if (known !== undefined) return known;
    // At odd places of a split by a capturing group stand the special tokens.
    const parts = piece.includes('[') ? piece.split(this.#special) : [piece];
    const count = parts.reduce((sum, part, index) => sum + (index % 2 === 1 ? 1 : this.#countPlain(part)), 0);
    if (this.#counts.size >= remembered) this.#counts.clear();
    this.#counts.set(copied(piece), count);
    return count;
  }

  #countPlain(part: string): number {
    let total = 0;
    for (const word of wordsOf(part)) total += this.#countWord(word);
    return total;
  }

  /** Longest match first; a word with a part that matches nothing is one unknown token. */
  #countWord(word: string): number {
    if (word.length > longestWord && [...word].length > longestWord) return 1;
    let count = 0;
    for (let start = 0; start < word.length; count += 1) {
      const tokens = start === 0 ? this.#heads : this.#tails;
      let end = Math.min(word.length, start + this.#longest);
      while (end > start && !tokens.has(word.slice(start, end))) end -= 1;
      if (end === start) return 1;
      start = end;
    }
    return count;
  }
}

/** A string of its own: V8 makes slices of 13 and more characters by reference, and one would keep its whole text in memory. */
function copied(piece: string): string {
  return piece.length < 13 ? piece : Buffer.from(piece, 'utf16le').toString('utf16le');
}

const asciiWord = /[a-z0-9]+|[!-/:-@[-`{-~]/g;
// Two marks and two punctuation characters have changed their kind since.
const mark = /[\p{Mn}\u1734\u{1171E}]/u;
const punctuation = /[\u{111C9}\u166D!-/:-@[-`{-~\p{P}]/u;
/** Control and format characters, private use, and what stands for a broken one. */
const removed = /[\p{Cc}\p{Cf}\p{Co}\uFFFD]/u;
/** The blocks that BERT takes for Chinese, which are not all that Unicode has. */
const chinese =
  /[\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{2F800}-\u{2FA1F}]/u;

/** The words of a piece without white space: cleaned, in lower case, without accents, with punctuation and Chinese characters apart. */
function wordsOf(piece: string): string[] {
  if (/^[\x21-\x7e]*$/.test(piece)) return piece.toLowerCase().match(asciiWord) ?? [];
  let cleaned = '';
  for (const character of piece) {
    if (removed.test(character) && !newerCharacter.test(character)) continue;
    cleaned += chinese.test(character) ? ` ${character} ` : character;
  }
  const words: string[] = [];
  let word = '';
  const end = () => {
    if (word !== '') words.push(word);
    word = '';
  };
  // Each letter alone, since the lower case of Σ depends on its neighbours in ECMAScript and does not here.
  for (const character of cleaned.normalize('NFD')) {
    if (character === ' ') end();
    else if (newerCharacter.test(character)) word += character;
    else if (punctuation.test(character)) {
      end();
      words.push(character);
    } else if (!mark.test(character)) word += character.toLowerCase();
  }
  end();
  return words;
}

/** White space by Unicode, but for the control characters among it, which are removed and separate nothing. */
function isSeparator(code: number): boolean {
  if (code < 0x80) return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}
