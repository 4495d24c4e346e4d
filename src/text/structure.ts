import type { CleanDocument } from '../contracts/document.ts';
import { paragraphBlocks, type Block } from './blocks.ts';
import { codePointOffsets } from './code-points.ts';
import { declarationOf, startsDeclaration } from './declarations.ts';
import { headingText } from './heading-text.ts';
import { firstInk, lastInk } from './lines.ts';
import { markdownBlocks } from './markdown-blocks.ts';

/** What stands under one heading, up to the next heading of any level. */
export interface Section {
  /** The heading path, the section's own heading last; empty for what stands before the first heading. */
  readonly headings: string[];
  /** Depth of the own heading from 1; 0 where there is none. */
  readonly level: number;
  /** Offsets of `text` in code points of the cleaned text. */
  readonly start: number;
  readonly end: number;
  /** The body without the heading line, an exact slice without blank lines around it; empty where nothing stands under the heading. */
  readonly text: string;
}

/** A section with its blocks: offsets in UTF-16 code units, its heading included. */
export interface OutlineSection {
  readonly headings: string[];
  readonly level: number;
  readonly start: number;
  readonly end: number;
  /** Its heading first, where it has one in the text. */
  readonly blocks: readonly Block[];
}

/**
 * The sections of a cleaned document in reading order.
 * Markdown has one a heading, code one a top-level declaration (with the declaration as its heading, and as part of its body), plain text one.
 */
export function sections(document: Pick<CleanDocument, 'text' | 'contentType'>): Section[] {
  const offset = codePointOffsets(document.text);
  return outline(document).map(({ headings, level, blocks, end }) => {
    const heading = blocks[0]?.kind === 'heading' ? blocks[0] : null;
    const start = heading ? (blocks[1]?.start ?? heading.end) : (blocks[0]?.start ?? end);
    return {
      headings,
      level,
      start: offset(start),
      end: offset(end),
      text: document.text.slice(start, end),
    };
  });
}

/** The sections that a document is cut by; they hold every character that is not white space. */
export function outline(document: Pick<CleanDocument, 'text' | 'contentType'>): OutlineSection[] {
  switch (document.contentType) {
    case 'markdown':
    case 'html':
      return headingSections(document.text, markdownBlocks(document.text));
    case 'code':
      return declarationSections(document.text, paragraphBlocks(document.text, 'code'));
    case 'text':
      return sectionOf(document.text, [], 0, paragraphBlocks(document.text, 'paragraph'));
  }
}

function headingSections(text: string, blocks: readonly Block[]): OutlineSection[] {
  const found: OutlineSection[] = [];
  const path: { level: number; heading: string }[] = [];
  let first = 0;
  for (let index = 0; index <= blocks.length; index += 1) {
    const block = blocks[index];
    if (block && block.kind !== 'heading') continue;
    if (index > first)
      found.push(
        ...sectionOf(
          text,
          path.map(({ heading }) => heading).filter((heading) => heading !== ''),
          path.at(-1)?.level ?? 0,
          blocks.slice(first, index),
        ),
      );
    first = index;
    if (!block) continue;
    while (path.length > 0 && path.at(-1)!.level >= block.level) path.pop();
    path.push({ level: block.level, heading: headingText(text.slice(block.start, block.end)) });
  }
  return found;
}

function declarationSections(text: string, blocks: readonly Block[]): OutlineSection[] {
  const found: OutlineSection[] = [];
  let first = 0;
  for (let index = 1; index <= blocks.length; index += 1) {
    const block = blocks[index];
    if (block && !startsDeclaration(text, block)) continue;
    const declaration = declarationOf(text, blocks[first]!);
    found.push(...sectionOf(text, declaration === null ? [] : [declaration], declaration === null ? 0 : 1, blocks.slice(first, index)));
    first = index;
  }
  return found;
}

/** The section of these blocks; none where there are no blocks. */
function sectionOf(text: string, headings: string[], level: number, blocks: readonly Block[]): OutlineSection[] {
  const [first, last] = [blocks[0], blocks.at(-1)];
  if (!first || !last) return [];
  return [
    {
      headings,
      level,
      start: first.start,
      end: lastInk(text, firstInk(text, first.start, last.end), last.end),
      blocks,
    },
  ];
}
