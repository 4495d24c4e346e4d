import type { Block } from './blocks.ts';
import { endOfLine, firstInk, isSpace } from './lines.ts';

/** What ends a block whose lines are taken as they stand: a fence of this length or longer, or a closing tag. */
type Closer = { readonly fence: string; readonly length: number } | { readonly tag: string };

interface OpenBlock {
  kind: 'paragraph' | 'list' | 'table' | 'code';
  readonly start: number;
  end: number;
  /** Null for a block that a blank line (or, for indented code, an unindented one) ends. */
  readonly closer: Closer | null;
  /** Stands inside a list item, whose end ends it as well. */
  readonly contained: boolean;
}

interface Line {
  readonly start: number;
  readonly end: number;
  /** Offset of the first character that is not white space. */
  readonly ink: number;
  /** Columns before it, tab stops every four. */
  readonly indent: number;
}

/**
 * The blocks of Markdown in one pass over its lines, by the rules of CommonMark 0.31 and GitHub's tables for what stands outside of containers.
 * Inside quotes and lists only fenced code is told apart: nothing there is a heading of the document.
 */
export function markdownBlocks(text: string): Block[] {
  const scan = new MarkdownScan(text);
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = endOfLine(text, start);
    const ink = firstInk(text, start, end);
    scan.line({ start, end, ink, indent: indentOf(text, start, ink) });
  }
  scan.close();
  return scan.blocks;
}

class MarkdownScan {
  readonly blocks: Block[] = [];
  readonly #text: string;
  #open: OpenBlock | null = null;
  #inList = false;

  constructor(text: string) {
    this.#text = text;
  }

  close(): void {
    if (this.#open)
      this.blocks.push({
        kind: this.#open.kind,
        start: this.#open.start,
        end: this.#open.end,
        level: 0,
      });
    this.#open = null;
  }

  line(line: Line): void {
    if (this.#continuesCode(line)) return;
    if (line.ink === line.end) {
      this.close();
      return;
    }
    if (this.#opensCode(line) || this.#isHeading(line)) return;
    if (isThematicBreak(this.#text, line) && !this.#contains(line)) {
      this.close();
      this.#inList = false;
      this.blocks.push({ kind: 'paragraph', start: line.start, end: line.end, level: 0 });
      return;
    }
    const open = this.#open;
    if (isListItem(this.#text, line) && (line.indent <= 3 || this.#inList)) {
      this.#inList = true;
      if (open?.kind === 'list') open.end = line.end;
      else this.#begin('list', line, null);
    } else if (open === null) {
      if (line.indent < 2) this.#inList = false;
      this.#begin(this.#inList ? 'list' : 'paragraph', line, null);
    } else {
      if (open.kind === 'paragraph' && isDelimiterRow(this.#text, line)) open.kind = 'table';
      open.end = line.end;
    }
  }

  #begin(kind: OpenBlock['kind'], line: Line, closer: Closer | null): void {
    this.close();
    this.#open = {
      kind,
      start: line.start,
      end: line.end,
      closer,
      contained: this.#contains(line),
    };
  }

  #contains(line: Line): boolean {
    return this.#inList && line.indent >= 2;
  }

  /** Takes the line into the open code block, where there is one that it does not end. */
  #continuesCode(line: Line): boolean {
    const open = this.#open;
    if (open?.kind !== 'code') return false;
    const blank = line.ink === line.end;
    if (open.closer === null ? !blank && line.indent < 4 : open.contained && !blank && line.indent < 2) {
      this.close();
      return false;
    }
    if (!blank) open.end = line.end;
    if (open.closer && closes(this.#text, line, open.closer)) this.close();
    return true;
  }

  #opensCode(line: Line): boolean {
    const contained = this.#contains(line);
    if (line.indent >= 4 && !contained) {
      if (this.#open) return false;
      this.#begin('code', line, null);
      return true;
    }
    const item = isListItem(this.#text, line);
    const fence = openingFence(this.#text, item ? firstInk(this.#text, afterMarker(this.#text, line), line.end) : line.ink, line.end);
    if (fence) {
      this.#inList = item || contained;
      this.#begin('code', line, fence);
      return true;
    }
    const tag = contained ? null : verbatimTag(this.#text, line);
    if (tag === null) return false;
    this.#begin('code', line, tag);
    if (closes(this.#text, line, tag)) this.close();
    return true;
  }

  #isHeading(line: Line): boolean {
    if (line.indent > 3 || this.#contains(line)) return false;
    const level = atxLevel(this.#text, line);
    if (level > 0) {
      this.close();
      this.#heading(line.start, line.end, level);
      return true;
    }
    const open = this.#open;
    if (open?.kind !== 'paragraph' || this.#text[firstInk(this.#text, open.start, open.end)] === '>') return false;
    const underline = setextLevel(this.#text, line);
    if (underline === 0) return false;
    this.#open = null;
    this.#heading(open.start, line.end, underline);
    return true;
  }

  #heading(start: number, end: number, level: number): void {
    this.blocks.push({ kind: 'heading', start, end, level });
    this.#inList = false;
  }
}

function indentOf(text: string, start: number, ink: number): number {
  let indent = 0;
  for (let index = start; index < ink; index += 1) indent += text.charCodeAt(index) === 0x09 ? 4 - (indent % 4) : 1;
  return indent;
}

/** Length of the run of `character` at `start`. */
function runLength(text: string, start: number, end: number, character: string): number {
  let at = start;
  while (at < end && text[at] === character) at += 1;
  return at - start;
}

function openingFence(text: string, start: number, end: number): Closer | null {
  const fence = text[start];
  if (fence !== '`' && fence !== '~') return null;
  const length = runLength(text, start, end, fence);
  if (length < 3 || (fence === '`' && text.slice(start + length, end).includes('`'))) return null;
  return { fence, length };
}

function verbatimTag(text: string, line: Line): Closer | null {
  if (text[line.ink] !== '<') return null;
  const tag = /^<(pre|script|style|textarea)(?:[\s>]|$)/i.exec(text.slice(line.ink, Math.min(line.end, line.ink + 12)))?.[1];
  return tag === undefined ? null : { tag: tag.toLowerCase() };
}

function closes(text: string, line: Line, closer: Closer): boolean {
  if ('tag' in closer) return text.slice(line.ink, line.end).toLowerCase().includes(`</${closer.tag}>`);
  const length = runLength(text, line.ink, line.end, closer.fence);
  return length >= closer.length && firstInk(text, line.ink + length, line.end) === line.end;
}

function atxLevel(text: string, line: Line): number {
  const level = runLength(text, line.ink, line.end, '#');
  const after = line.ink + level;
  return level <= 6 && (after === line.end || isSpace(text.charCodeAt(after))) ? level : 0;
}

function setextLevel(text: string, line: Line): number {
  const mark = text[line.ink];
  if (mark !== '=' && mark !== '-') return 0;
  const after = line.ink + runLength(text, line.ink, line.end, mark);
  if (firstInk(text, after, line.end) !== line.end) return 0;
  return mark === '=' ? 1 : 2;
}

function isListItem(text: string, line: Line): boolean {
  const after = afterMarker(text, line);
  if (after === line.ink || (after < line.end && !isSpace(text.charCodeAt(after)))) return false;
  return !isThematicBreak(text, line);
}

function isThematicBreak(text: string, line: Line): boolean {
  const mark = text[line.ink];
  if (line.indent > 3 || (mark !== '*' && mark !== '-' && mark !== '_')) return false;
  let marks = 0;
  for (let at = line.ink; at < line.end; at += 1) {
    if (text[at] === mark) marks += 1;
    else if (!isSpace(text.charCodeAt(at))) return false;
  }
  return marks >= 3;
}

/** Offset after a bullet or an ordered item's number, or the line's first character where there is none. */
function afterMarker(text: string, line: Line): number {
  const first = text.charCodeAt(line.ink);
  if (first === 0x2a || first === 0x2b || first === 0x2d) return line.ink + 1;
  let at = line.ink;
  while (at < line.end && at < line.ink + 9 && text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at += 1;
  if (at === line.ink || (text[at] !== '.' && text[at] !== ')')) return line.ink;
  return at + 1;
}

/** Longest delimiter row looked at: no table has more columns than this has room for. */
const LONGEST_DELIMITER_ROW = 2000;

function isDelimiterRow(text: string, line: Line): boolean {
  if (line.end - line.ink > LONGEST_DELIMITER_ROW) return false;
  const row = text.slice(line.ink, line.end).trimEnd();
  return row.includes('|') && row.includes('-') && /^[|:\- \t]+$/.test(row);
}
