import { endOfLine, firstInk } from './lines.ts';

/** A block of a text: offsets in UTF-16 code units, the line break after its last line not included. */
export interface Block {
  readonly kind: 'heading' | 'paragraph' | 'list' | 'table' | 'code';
  readonly start: number;
  readonly end: number;
  /** Depth of a heading from 1; 0 for every other block. */
  readonly level: number;
}

/** The runs of lines between blank lines, each one a block of `kind`. */
export function paragraphBlocks(text: string, kind: 'paragraph' | 'code'): Block[] {
  const blocks: Block[] = [];
  let start = -1;
  let end = 0;
  for (let lineStart = 0, lineEnd = 0; lineStart < text.length; lineStart = lineEnd + 1) {
    lineEnd = endOfLine(text, lineStart);
    if (firstInk(text, lineStart, lineEnd) < lineEnd) {
      if (start === -1) start = lineStart;
      end = lineEnd;
    } else if (start !== -1) {
      blocks.push({ kind, start, end, level: 0 });
      start = -1;
    }
  }
  if (start !== -1) blocks.push({ kind, start, end, level: 0 });
  return blocks;
}
