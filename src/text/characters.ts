/* oxlint-disable eslint/no-control-regex -- control characters are what this file is about */
import type { DropCounts } from './drop-counts.ts';
import { endOfLine, lastInk } from './lines.ts';

/** Anything that `cleanCharacters` may touch beside line ends: one look spares most texts every pass. */
const SUSPECT = /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0001}-\u{e007f}]/u;

/** Line feeds for every kind of line end, U+FFFD for lone surrogates, and no NUL and no byte order mark: all that is done to code. */
export function cleanLineEnds(text: string, drops: DropCounts): string {
  let cleaned = text;
  if (cleaned.includes('\r')) {
    cleaned = drops.replace(cleaned, /\r(?=\n)/g, '', 'carriage-return');
    cleaned = drops.replace(cleaned, /\r/g, '\n', 'line-separator');
  }
  if (!cleaned.isWellFormed()) cleaned = drops.replace(cleaned, /\p{Surrogate}/gu, '\ufffd', 'lone-surrogate');
  if (cleaned.startsWith('\ufeff')) cleaned = drops.replace(cleaned, /^\ufeff/g, '', 'zero-width');
  return cleaned.includes('\0') ? drops.replace(cleaned, /\0/g, '', 'control-character') : cleaned;
}

/** Removes characters that no reader sees. Joiners stay in emoji and in scripts that need them. */
export function cleanCharacters(text: string, drops: DropCounts): string {
  if (!SUSPECT.test(text)) return text;
  const passes: [pattern: RegExp, replacement: string, reason: string][] = [
    [/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '', 'terminal-sequence'],
    [/[\v\f\x85\u2028\u2029]/g, '\n', 'line-separator'],
    [/[\0-\x08\x0e-\x1f\x7f-\x9f]/g, '', 'control-character'],
    [/[\u200b\u180e\u2060-\u2064\ufeff\ufff9-\ufffb]/g, '', 'zero-width'],
    [/(?<![\p{Lo}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]+/gu, '', 'zero-width'],
    [/\xad/g, '', 'soft-hyphen'],
    [/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f]/g, '', 'bidirectional-control'],
    [/[\u{e0001}\u{e0020}-\u{e007f}]/gu, '', 'tag-character'],
  ];
  return passes.reduce((cleaned, [pattern, replacement, reason]) => drops.replace(cleaned, pattern, replacement, reason), text);
}

/** Removes white space at the ends of lines, and empty lines at the ends of the text. */
export function trimLines(text: string, drops: DropCounts): string {
  let cleaned = text;
  if (/[^\S\n](?:\n|$)/.test(text)) {
    const lines: string[] = [];
    for (let start = 0, end = 0; start <= text.length; start = end + 1) {
      end = endOfLine(text, start);
      const inked = lastInk(text, start, end);
      drops.add('trailing-space', end - inked);
      lines.push(text.slice(start, inked));
    }
    cleaned = lines.join('\n');
  }
  let start = 0;
  while (cleaned[start] === '\n') start += 1;
  const end = lastInk(cleaned, start, cleaned.length);
  drops.add('blank-line', start + cleaned.length - end);
  return cleaned.slice(start, end);
}
