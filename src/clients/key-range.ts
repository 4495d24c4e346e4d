/**
 * The least string that is greater than every string with this prefix, in the order of UTF-8 bytes (which is that of code points);
 * null where there is none, as for the empty prefix.
 */
export function endOfPrefix(prefix: string): string | null {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0)!;
    if (point === 0x10ffff) continue;
    // The surrogates lie between these two and are no characters.
    return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return null;
}
