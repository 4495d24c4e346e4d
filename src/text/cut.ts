import { embedderInput, type Chunk, type CleanDocument } from '../contracts/document.ts';
import type { Tokenizer } from '../ports/tokenizer.ts';
import { atomsOf, Boundary, type Atom } from './atoms.ts';
import { codePointOffsets, wholeCharacter } from './code-points.ts';
import { lastInk } from './lines.ts';
import { outline, type OutlineSection } from './structure.ts';

/** How documents are cut. */
export interface CutParams {
  /** Tokens of the embedder's input, heading path included; the tokenizer's window is a limit as well. */
  readonly maxTokens: number;
  /** Tokens that neighbouring chunks of one section share at most. */
  readonly overlapTokens: number;
}

/** A slice before its offsets are known in code points: UTF-16 offsets without white space at the end. */
interface Slice {
  readonly start: number;
  readonly end: number;
  readonly headings: string[];
  readonly tokens: number;
}

/**
 * Cuts a cleaned document into exact slices that fit the embedder, in reading order; every character that is not white space lies in at least one.
 *
 * A section that fits is one chunk; tiny neighbours under one parent share one. A longer section is packed by a sliding window of atoms
 * (see `atomsOf`), which ends at the best boundary in its second half; neighbours overlap by up to `overlapTokens`, never across sections.
 * Only a single character that alone has more tokens than the limit makes a chunk above it.
 */
export function cutDocument(document: CleanDocument, params: CutParams, tokenizer: Tokenizer): Chunk[] {
  const cutter = new Cutter(document.text, Math.min(params.maxTokens, tokenizer.window), params.overlapTokens, tokenizer);
  for (const group of cutter.group(outline(document))) cutter.cutGroup(group);
  const offset = codePointOffsets(document.text);
  return cutter.slices.map(({ start, end, headings, tokens }, ordinal) => ({
    document: document.id,
    tenant: document.tenant,
    ordinal,
    text: document.text.slice(start, end),
    start: offset(start),
    end: offset(end),
    tokens: Math.max(1, tokens),
    headings,
    sources: document.sources,
    address: document.address,
    title: document.title,
    contentType: document.contentType,
    authorId: document.authorId,
    authorName: document.authorName,
    platform: document.platform,
  }));
}

/** A section, and its tokens where it is short enough to have been counted whole. */
interface Measured {
  readonly section: OutlineSection;
  readonly tokens: number;
}

class Cutter {
  readonly slices: Slice[] = [];
  readonly #text: string;
  readonly #limit: number;
  readonly #overlap: number;
  readonly #tokenizer: Tokenizer;
  readonly #paths = new Map<string, number>();

  constructor(text: string, limit: number, overlap: number, tokenizer: Tokenizer) {
    this.#text = text;
    this.#limit = limit;
    this.#overlap = Math.min(overlap, limit >> 1);
    this.#tokenizer = tokenizer;
  }

  /**
   * Joins a section to the group before it where one of both is tiny (under a quarter of the limit), both fit into one chunk,
   * and the section stands under the parent of the group's first.
   */
  group(sections: readonly OutlineSection[]): Measured[][] {
    const groups: Measured[][] = [];
    let total = 0;
    for (const section of sections) {
      const tokens = this.#measure(section);
      const group = groups.at(-1);
      const tiny = 4 * Math.min(total, tokens) < this.#limit;
      const sibling = section.level === 0 || section.level >= (group?.[0]?.section.level ?? 0);
      if (group && tiny && sibling && this.#pathTokens(section.headings) + total + tokens <= this.#limit) {
        group.push({ section, tokens });
        total += tokens;
      } else {
        groups.push([{ section, tokens }]);
        total = tokens;
      }
    }
    return groups;
  }

  cutGroup(group: readonly Measured[]): void {
    const [first, last] = [group[0]!.section, group.at(-1)!.section];
    if (group.every(({ tokens }) => tokens <= this.#limit)) {
      const slice = this.#slice(first.start, last.end, this.#capped(group.length === 1 ? first.headings : sharedPath(group)));
      if (slice.tokens <= this.#limit) {
        this.#push(slice);
        return;
      }
    }
    for (const { section } of group) this.#cutSection(section);
  }

  /** Tokens of a section; infinite where it is so long that counting it whole would be wasted. */
  #measure(section: OutlineSection): number {
    return section.end - section.start > 4 * this.#limit ? Infinity : this.#count(section.start, section.end);
  }

  #cutSection(section: OutlineSection): void {
    const headings = this.#capped(section.headings);
    const budget = this.#limit - this.#pathTokens(headings);
    const largest = Math.max(1, Math.min(budget >> 2, this.#overlap || budget));
    const atoms = atomsOf(this.#text, section.blocks, largest, (text) => this.#tokenizer.count(text));
    const sums = [0];
    for (const [index, atom] of atoms.entries()) sums.push(sums[index]! + atom.tokens);

    for (let first = 0, covered = 0, reach = 0; covered < atoms.length;) {
      reach = Math.max(reach, covered + 1);
      while (reach < atoms.length && sums[reach + 1]! - sums[first]! <= budget) reach += 1;
      let last = reach === atoms.length ? reach : bestEnd(atoms, sums, first, covered, reach, budget);
      let slice = this.#slice(atoms[first]!.start, atoms[last - 1]!.end, headings);
      // Tokens of joined atoms can be more than the sum of theirs: give up atoms at the end, then the overlap, then the headings.
      while (slice.tokens > this.#limit && last > covered + 1) {
        const excess = slice.tokens - this.#limit;
        const kept = sums[last]! - excess;
        do last -= 1;
        while (last > covered + 1 && sums[last]! > kept);
        slice = this.#slice(atoms[first]!.start, atoms[last - 1]!.end, headings);
      }
      if (slice.tokens > this.#limit) {
        first = covered;
        this.#cutSpan(atoms[first]!.start, atoms[last - 1]!.end, headings);
      } else this.#push(slice);
      const previous = first;
      covered = last;
      first = overlapStart(atoms, sums, previous, covered, this.#overlap, budget);
    }
  }

  /** Makes slices of a span by dropping its headings and then by halving it, until each fits or is one character. */
  #cutSpan(start: number, end: number, headings: string[]): void {
    let slice = this.#slice(start, end, headings);
    if (slice.tokens > this.#limit && headings.length > 0) slice = this.#slice(start, end, []);
    const middle = wholeCharacter(this.#text, (start + slice.end) >> 1, slice.end);
    if (slice.tokens <= this.#limit || middle <= start || middle >= slice.end) {
      this.#push(slice);
      return;
    }
    this.#cutSpan(start, middle, headings);
    this.#cutSpan(middle, end, headings);
  }

  #push(slice: Slice): void {
    if (slice.end > slice.start) this.slices.push(slice);
  }

  #slice(start: number, end: number, headings: string[]): Slice {
    const inked = lastInk(this.#text, start, end);
    const tokens = this.#tokenizer.count(embedderInput({ headings, text: this.#text.slice(start, inked) }));
    return { start, end: inked, headings, tokens };
  }

  #count(start: number, end: number): number {
    return this.#tokenizer.count(this.#text.slice(start, end));
  }

  /** The heading path without its outermost headings where it would take more than a quarter of the limit. */
  #capped(headings: string[]): string[] {
    let kept = headings;
    while (kept.length > 0 && 4 * this.#pathTokens(kept) > this.#limit) kept = kept.slice(1);
    return kept;
  }

  #pathTokens(headings: readonly string[]): number {
    if (headings.length === 0) return 0;
    const path = `${headings.join(' > ')}\n`;
    const known = this.#paths.get(path);
    if (known !== undefined) return known;
    const tokens = this.#tokenizer.count(path);
    this.#paths.set(path, tokens);
    return tokens;
  }
}

/** The headings that all sections of a group stand under; a heading with nothing under it does not shorten the path. */
function sharedPath(group: readonly Measured[]): string[] {
  const paths = group
    .filter(({ section }) => section.blocks.some((block) => block.kind !== 'heading'))
    .map(({ section }) => section.headings);
  const [first = group[0]!.section.headings, ...others] = paths;
  let shared = 0;
  while (shared < first.length && others.every((path) => path[shared] === first[shared])) shared += 1;
  return first.slice(0, shared);
}

/** Where a window that could reach `reach` ends: at the best boundary of its second half, the latest of equals. */
function bestEnd(atoms: readonly Atom[], sums: readonly number[], first: number, covered: number, reach: number, budget: number): number {
  let best = reach;
  for (let end = reach - 1; end > covered && 2 * (sums[end]! - sums[first]!) >= budget; end -= 1) {
    if (atoms[end - 1]!.boundary > atoms[best - 1]!.boundary) best = end;
  }
  return best;
}

/** The atom that the next window starts with: as early as the overlap allows, at a sentence's start where there is one. */
function overlapStart(
  atoms: readonly Atom[],
  sums: readonly number[],
  previous: number,
  covered: number,
  overlap: number,
  budget: number,
): number {
  const next = atoms[covered];
  if (!next) return covered;
  let earliest = covered;
  while (earliest - 1 > previous && sums[covered]! - sums[earliest - 1]! <= Math.min(overlap, budget - next.tokens)) earliest -= 1;
  for (let start = earliest; start < covered; start += 1) {
    if (atoms[start - 1]!.boundary >= Boundary.sentence) return start;
  }
  return earliest;
}
