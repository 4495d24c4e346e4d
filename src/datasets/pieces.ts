/** An exact slice of a cleaned text: `[...clean.text].slice(start, end).join('') === text`. */
export interface Slice {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a section at blank lines outside fenced code into slices of at most `maximum` code points, each as long as its paragraphs allow.
 * A paragraph that is longer by itself becomes a slice of its own, for the caller to refuse.
 */
export function piecesOf(section: Slice, maximum: number): Slice[] {
  const pieces: { start: number; end: number }[] = [];
  for (const paragraph of paragraphsOf(section.text)) {
    const last = pieces.at(-1);
    if (last && paragraph.end - last.start <= maximum) last.end = paragraph.end;
    else pieces.push({ ...paragraph });
  }
  const characters = [...section.text];
  return pieces.map(({ start, end }) => ({
    text: characters.slice(start, end).join(''),
    start: section.start + start,
    end: section.start + end,
  }));
}

/** Offsets, in code points, of paragraphs and fenced blocks without the white space around them. */
function paragraphsOf(text: string): { start: number; end: number }[] {
  const paragraphs: { start: number; end: number }[] = [];
  let fence: string | null = null;
  let inside = false;
  let offset = 0;
  for (const line of text.split('\n')) {
    const mark = /^[\t >*-]*(`{3,}|~{3,})/.exec(line)?.[1];
    const wasInFence: boolean = fence !== null;
    if (mark !== undefined) fence = fence === null ? mark : mark.startsWith(fence) ? null : fence;
    if (line.trim() !== '') {
      const start = offset + lengthOf(line) - lengthOf(line.trimStart());
      const end = offset + lengthOf(line.trimEnd());
      if (inside) paragraphs.at(-1)!.end = end;
      else paragraphs.push({ start, end });
      inside = true;
    } else if (!wasInFence) inside = false;
    offset += lengthOf(line) + 1;
  }
  return paragraphs;
}

/** Length in code points. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
