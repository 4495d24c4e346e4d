import { withoutCode } from './prose.ts';

/** An exact slice of a cleaned text: `[...clean.text].slice(start, end).join('') === text`. */
export interface Slice {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** A slice together with what of it is not code. */
export interface Piece extends Slice {
  /** The text with its code blanked, judged within its section: cut off from it, indented code would look like prose. */
  readonly prose: string;
}

/** Offsets in code points, and in UTF-16 code units. */
interface Span {
  readonly start: number;
  readonly from: number;
  end: number;
  to: number;
}

/**
 * Cuts a section at blank lines outside fenced code into slices of at most `maximum` code points, each as long as its paragraphs allow.
 * A paragraph that is longer by itself becomes a slice of its own, for the caller to refuse.
 */
export function piecesOf(section: Slice, maximum: number): Piece[] {
  const spans: Span[] = [];
  for (const paragraph of paragraphsOf(section.text)) {
    const last = spans.at(-1);
    if (last && paragraph.end - last.start <= maximum) [last.end, last.to] = [paragraph.end, paragraph.to];
    else spans.push(paragraph);
  }
  const prose = withoutCode(section.text);
  return spans.map(({ start, end, from, to }) => ({
    text: section.text.slice(from, to),
    prose: prose.slice(from, to),
    start: section.start + start,
    end: section.start + end,
  }));
}

/** Paragraphs and fenced blocks without the white space around them. */
function paragraphsOf(text: string): Span[] {
  const paragraphs: Span[] = [];
  let fence: string | null = null;
  let inside = false;
  let [offset, unit] = [0, 0];
  for (const line of text.split('\n')) {
    const mark = /^[\t >*-]*(`{3,}|~{3,})/.exec(line)?.[1];
    const wasInFence: boolean = fence !== null;
    if (mark !== undefined) fence = fence === null ? mark : mark.startsWith(fence) ? null : fence;
    const [length, indent, ink] = [lengthOf(line), line.length - line.trimStart().length, line.trimEnd()];
    if (ink !== '') {
      const [end, to] = [offset + lengthOf(ink), unit + ink.length];
      const open = paragraphs.at(-1);
      if (inside && open) [open.end, open.to] = [end, to];
      else paragraphs.push({ start: offset + indent, from: unit + indent, end, to });
      inside = true;
    } else if (!wasInFence) inside = false;
    offset += length + 1;
    unit += line.length + 1;
  }
  return paragraphs;
}

/** Length in code points. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
