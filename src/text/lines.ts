/** Offset of the line break that ends the line at `start`, or the text's end. */
export function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end;
}

/** Offset of the first character in [start, end) that is not white space, or `end`. */
export function firstInk(text: string, start: number, end: number): number {
  for (let index = start; index < end; index += 1) {
    if (!isSpace(text.charCodeAt(index))) return index;
  }
  return end;
}

/** Offset after the last character in [start, end) that is not white space, or `start`. */
export function lastInk(text: string, start: number, end: number): number {
  for (let index = end; index > start; index -= 1) {
    if (!isSpace(text.charCodeAt(index - 1))) return index;
  }
  return start;
}

/** Whether a UTF-16 code unit is white space as `trim` and `\s` have it. */
export function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  if (code < 0xa0) return false;
  return (
    code === 0xa0 ||
    code === 0xfeff ||
    code === 0x3000 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f
  );
}
