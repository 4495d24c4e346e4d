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

/** The first offset at or after `offset` that does not split a surrogate pair. */
export function wholeCodePoint(text: string, offset: number): number {
  return startsPair(text, offset - 1) ? offset + 1 : offset;
}

function pairsBetween(text: string, start: number, end: number): number {
  let pairs = 0;
  for (let index = start; index < end; index += 1) {
    if (startsPair(text, index)) pairs += 1;
  }
  return pairs;
}

function startsPair(text: string, index: number): boolean {
  return (
    (text.charCodeAt(index) & 0xfc00) === 0xd800 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00
  );
}
