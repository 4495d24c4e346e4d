import type { Block } from './blocks.ts';
import { wholeCharacter } from './code-points.ts';
import { endOfLine, firstInk, isSpace, lastInk } from './lines.ts';

/** How good a place for a cut is, the best last. `wrap` is a line end in the middle of a sentence. */
export const Boundary = { character: 0, word: 1, wrap: 2, sentence: 3, line: 4, block: 5 } as const;
export type Boundary = (typeof Boundary)[keyof typeof Boundary];

/** A piece of text that is never cut: offsets in UTF-16 code units, the white space after it included. */
export interface Atom {
  readonly start: number;
  end: number;
  /** Tokens of the atom alone; at least 1. */
  readonly tokens: number;
  /** What kind of place its end is. */
  boundary: Boundary;
}

/** Longest run of letters that counts as a word, and of white space that counts as an indent, in code units. */
const LONGEST_WORD = 64;

/** Shorter sentences go with the next one: most are abbreviations. */
const SHORTEST_SENTENCE = 24;

/**
 * Cuts blocks into atoms of at most `largest` tokens (a single character may have more), each counted a bounded number of times.
 * Lines and, in prose, sentences; what is longer falls to words, and words to characters.
 */
export function atomsOf(text: string, blocks: readonly Block[], largest: number, count: (text: string) => number): Atom[] {
  const atoms: Atom[] = [];

  const push = (start: number, end: number, tokens: number, boundary: Boundary): void => {
    atoms.push({ start, end, tokens: Math.max(1, tokens), boundary });
  };

  const cutWords = (start: number, end: number, longest: number, wholeWords: boolean, boundary: Boundary): void => {
    for (let at = start; at < end;) {
      const [stop, kind] = wordsUpTo(text, at, end, longest, wholeWords);
      const last = stop === end ? boundary : kind;
      const tokens = count(text.slice(at, stop));
      if (tokens > largest && longest > 1) {
        const severalWords = /\S\s+\S/.test(text.slice(at, stop));
        cutWords(at, stop, Math.min(longest, stop - at) >> 1, wholeWords && severalWords, last);
      } else push(at, stop, tokens, last);
      at = stop;
    }
  };

  /** A span of more than `largest` tokens is cut at words; one far too long is not even counted whole. */
  const cutSpan = (start: number, end: number, boundary: Boundary): void => {
    if (end - start <= 8 * largest) {
      const tokens = count(text.slice(start, end));
      if (tokens <= largest) {
        push(start, end, tokens, boundary);
        return;
      }
    }
    cutWords(Math.max(start, firstInk(text, start, end) - LONGEST_WORD), end, 2 * largest, true, boundary);
  };

  for (const block of blocks) {
    const prose = block.kind === 'paragraph' || block.kind === 'list';
    for (let start = block.start, end = 0; start < block.end; start = end) {
      const lineEnd = Math.min(endOfLine(text, start), block.end);
      end = Math.min(lineEnd + 1, block.end);
      if (firstInk(text, start, lineEnd) === lineEnd) {
        const before = atoms.at(-1);
        if (before) before.end = end;
        continue;
      }
      if (prose) {
        const boundary = wraps(text, start, lineEnd, block.end) ? Boundary.wrap : Boundary.line;
        for (let at = start; at < end;) {
          const stop = sentenceEnd(text, at, Math.min(SHORTEST_SENTENCE, largest), end);
          cutSpan(at, stop, stop === end ? boundary : Boundary.sentence);
          at = stop;
        }
      } else cutSpan(start, end, Boundary.line);
    }
    const last = atoms.at(-1);
    if (last) last.boundary = Boundary.block;
  }
  return atoms;
}

/**
 * The longest run of words within about `longest` code units, white space after it included, and at least one.
 * A word that is too long, or any word where whole ones are not asked for, is cut between characters.
 */
function wordsUpTo(text: string, start: number, end: number, longest: number, whole: boolean): [stop: number, boundary: Boundary] {
  const ink = firstInk(text, start, end);
  const target = Math.max(start + longest, ink + 1);
  if (target >= end) return [end, Boundary.word];
  for (let at = target; at > ink; at -= 1) {
    if (isSpace(text.charCodeAt(at))) return [firstInk(text, at, end), Boundary.word];
  }
  const furthest = whole ? Math.min(end, ink + LONGEST_WORD) : target - 1;
  for (let at = target; at <= furthest; at += 1) {
    if (at === end || isSpace(text.charCodeAt(at))) return [firstInk(text, at, end), Boundary.word];
  }
  const stop = wholeCharacter(text, target, end);
  const next = firstInk(text, stop, end);
  return [next, next > stop ? Boundary.word : Boundary.character];
}

/** Whether the line break at `lineEnd` only wraps a sentence: nothing ends before it, and a small letter follows. */
function wraps(text: string, start: number, lineEnd: number, end: number): boolean {
  if (!/^\p{Ll}/u.test(text.slice(lineEnd + 1, Math.min(end, lineEnd + 3)))) return false;
  return !/[.!?:;。！？：；]/.test(text[lastInk(text, start, lineEnd) - 1] ?? '');
}

const CLOSERS = new Set('"\'”’»)]*_`」』）】');

/** Offset after the first sentence of [start, end) that is not too short, white space after it included. */
function sentenceEnd(text: string, start: number, shortest: number, end: number): number {
  for (let index = start + shortest - 1; index < end; index += 1) {
    const code = text.charCodeAt(index);
    const western = code === 0x2e || code === 0x21 || code === 0x3f;
    if (!western && code !== 0x3002 && code !== 0xff01 && code !== 0xff1f) continue;
    let after = index + 1;
    while (after < end && CLOSERS.has(text[after]!)) after += 1;
    const next = firstInk(text, after, end);
    if (!western || next === end || (next > after && !isSmallLetter(text.charCodeAt(next)))) return next;
  }
  return end;
}

function isSmallLetter(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}
