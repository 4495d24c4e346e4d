import type { DropCounts } from './drop-counts.ts';
import { countCodePoints } from './code-points.ts';
import { foldFakeLetters, hasFakeLetters } from './fake-letters.ts';
import { endOfLine } from './lines.ts';
import { markdownBlocks } from './markdown-blocks.ts';
import type { Survey } from './survey.ts';

/** Removes what a reader of rendered Markdown does not see (front matter, comments, embedded data) and folds fake letters outside of code. */
export function cleanMarkdown(text: string, traits: Survey, drops: DropCounts): string {
  const body = withoutFrontMatter(text, drops);
  const visible = body.includes('<!--') ? withoutComments(body, drops) : body;
  const light = visible.includes(';base64,')
    ? drops.replace(visible, /data:[\w+.-]{1,100}\/[\w+.-]{1,100}(?:;[\w=-]{1,100}){0,4};base64,[\w+/=-]*/g, '', 'embedded-data')
    : visible;
  return traits.fakeLetter && hasFakeLetters(light) ? foldProse(light, drops) : light;
}

/** YAML or TOML between two fences at the very start, its first line a key. */
function withoutFrontMatter(text: string, drops: DropCounts): string {
  const opening = /^(---|\+\+\+)[ \t]*\n(?=[\w"'-]+[ \t]*[:=])/.exec(text);
  if (!opening) return text;
  const closing = text.indexOf(`\n${opening[1]}`, opening[0].length - 1);
  if (closing === -1) return text;
  const end = endOfLine(text, closing + 1);
  if (text.slice(closing + 4, end).trim() !== '') return text;
  drops.add('front-matter', countCodePoints(text.slice(0, end)));
  return text.slice(end);
}

const FENCE = /^[ \t]*(?:(?:[-+*>]|\d{1,9}[.)])[ \t]+)?(`{3,}|~{3,})(?:[^`\n]*)$/;

/** Removes HTML comments that do not stand in code; a comment without an end stays. */
function withoutComments(text: string, drops: DropCounts): string {
  const kept: string[] = [];
  let fence: string | null = null;
  let keptUpTo = 0;
  for (let start = 0, next = 0; next !== -1 && start < text.length;) {
    if (next < start || start === 0) next = text.indexOf('<!--', start);
    const end = endOfLine(text, start);
    const atLineStart = start === 0 || text[start - 1] === '\n';
    const mark = atLineStart ? FENCE.exec(text.slice(start, Math.min(end, start + 200)))?.[1] : undefined;
    if (mark !== undefined && (fence === null || (mark.startsWith(fence) && text.slice(start, end).trim() === mark))) {
      fence = fence === null ? mark : null;
    } else if (fence === null && next !== -1 && next < end) {
      const comment = commentIn(text, start, end);
      const closing = comment === -1 ? -1 : text.indexOf('-->', comment + 4);
      if (comment !== -1 && closing === -1) break;
      if (comment !== -1) {
        kept.push(text.slice(keptUpTo, comment));
        keptUpTo = closing + 3;
        drops.add('html-comment', countCodePoints(text.slice(comment, keptUpTo)));
        start = keptUpTo;
        continue;
      }
    }
    start = end + 1;
  }
  kept.push(text.slice(keptUpTo));
  return kept.join('');
}

/** Longest code span that is looked for: the search stays linear. */
const LONGEST_SPAN = 2000;

/** Offset of the first comment in [start, end) that does not begin in a code span, or -1. */
function commentIn(text: string, start: number, end: number): number {
  const marks = /<!--|`+/g;
  const line = text.slice(start, end);
  for (let mark = marks.exec(line); mark; mark = marks.exec(line)) {
    if (mark[0] === '<!--') return start + mark.index;
    const closing = line.slice(marks.lastIndex, marks.lastIndex + LONGEST_SPAN).indexOf(mark[0]);
    if (closing !== -1) marks.lastIndex += closing + mark[0].length;
  }
  return -1;
}

/** Folds fake letters in all blocks but code, and there outside of code spans. */
function foldProse(text: string, drops: DropCounts): string {
  const kept: string[] = [];
  let at = 0;
  for (const block of markdownBlocks(text)) {
    const body = text.slice(block.start, block.end);
    kept.push(text.slice(at, block.start), block.kind === 'code' || !hasFakeLetters(body) ? body : foldOutsideSpans(body, drops));
    at = block.end;
  }
  kept.push(text.slice(at));
  return kept.join('');
}

function foldOutsideSpans(body: string, drops: DropCounts): string {
  return body
    .split(/(`+[^`]+`+)/)
    .map((part, index) => (index % 2 === 1 ? part : foldFakeLetters(part, drops)))
    .join('');
}
