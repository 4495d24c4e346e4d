/** Whether UTF-16 offsets and code point offsets of a text can differ. */
const SURROGATE = /[\ud800-\udfff]/;

/** How many code points lie in `text` (a lone surrogate counts as one, as string iteration has it). */
export function countCodePoints(text: string): number {
  return SURROGATE.test(text) ? text.length - pairsBetween(text, 0, text.length) : text.length;
}

/**
 * A function from UTF-16 offsets of `text` to code point offsets.
 * Linear over all calls while the offsets do not fall far back; an offset inside a surrogate pair is that of the pair's start.
 */
export function codePointOffsets(text: string): (offset: number) => number {
  if (!SURROGATE.test(text)) return (offset) => offset;
  let at = 0;
  let pairs = 0;
  return (offset) => {
    pairs += offset >= at ? pairsBetween(text, at, offset) : -pairsBetween(text, offset, at);
    at = offset;
    return offset - pairs;
  };
}

/** Most code points that are kept with the character before them: real characters have fewer, and a text of marks alone must not become one character. */
const LONGEST_CHARACTER = 32;

/** The first offset from `offset` on that splits no surrogate pair, and no marks, emoji modifiers or joined emoji from the character before. */
export function wholeCharacter(text: string, offset: number, end: number): number {
  let at = startsPair(text, offset - 1) ? offset + 1 : offset;
  for (let kept = 0; at < end && kept < LONGEST_CHARACTER; kept += 1) {
    if (text.charCodeAt(at) < 0x300) break;
    const next = String.fromCodePoint(text.codePointAt(at)!);
    const joined = text.charCodeAt(at - 1) === ZERO_WIDTH_JOINER;
    if (!joined && !/^[\p{M}\p{Emoji_Modifier}\u200d]/u.test(next)) break;
    at += next.length;
  }
  return Math.min(at, end);
}

const ZERO_WIDTH_JOINER = 0x200d;

function pairsBetween(text: string, start: number, end: number): number {
  let pairs = 0;
  for (let index = start; index < end; index += 1) {
    if (startsPair(text, index)) pairs += 1;
  }
  return pairs;
}

function startsPair(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00;
}
