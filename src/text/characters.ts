/* oxlint-disable eslint/no-control-regex -- control characters are what this file is about */
import type { DropCounts } from './drop-counts.ts';
import { endOfLine, lastInk } from './lines.ts';
import type { Survey } from './survey.ts';

/** Line feeds for every kind of line end, U+FFFD for lone surrogates, and no NUL and no byte order mark: all that is done to code. */
export function cleanLineEnds(text: string, traits: Survey, drops: DropCounts): string {
  let cleaned = text;
  if (traits.carriageReturn) {
    cleaned = drops.replace(cleaned, /\r(?=\n)/g, '', 'carriage-return');
    cleaned = drops.replace(cleaned, /\r/g, '\n', 'line-separator');
  }
  if (traits.surrogate && !cleaned.isWellFormed()) cleaned = drops.replace(cleaned, /\p{Surrogate}/gu, '\ufffd', 'lone-surrogate');
  if (!traits.hidden) return cleaned;
  cleaned = drops.replace(cleaned, /^\ufeff/g, '', 'zero-width');
  return drops.replace(cleaned, /\0/g, '', 'control-character');
}

/** Removes characters that no reader sees. Joiners stay in emoji and in scripts that need them. */
export function cleanCharacters(text: string, traits: Survey, drops: DropCounts): string {
  if (!traits.hidden) return text;
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

/** Removes white space at the ends of lines. */
export function trimLines(text: string, drops: DropCounts): string {
  const lines: string[] = [];
  for (let start = 0, end = 0; start <= text.length; start = end + 1) {
    end = endOfLine(text, start);
    const inked = lastInk(text, start, end);
    drops.add('trailing-space', end - inked);
    lines.push(text.slice(start, inked));
  }
  return lines.join('\n');
}

/** Removes empty lines before the text, and all white space after it. */
export function trimEnds(text: string, drops: DropCounts): string {
  let start = 0;
  while (text[start] === '\n') start += 1;
  const end = lastInk(text, start, text.length);
  drops.add('blank-line', start + text.length - end);
  return text.slice(start, end);
}
