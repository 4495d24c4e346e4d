import type { Block } from './blocks.ts';
import { endOfLine } from './lines.ts';

/** Words that open a declaration in the languages that a repository is likely to hold. */
const DECLARES =
  /^(?:(?:export|default|declare|public|private|protected|internal|static|abstract|final|sealed|async|unsafe|inline|open|data|pub(?:\([\w:]+\))?)\s+)*(?:function\*?|class|interface|type|enum|const|let|var|val|def|fn|func|fun|impl|struct|trait|mod|module|namespace|object|record|union|protocol|extension|macro_rules!|package)\s+[\w$(<*&]/;

/** Longest declaration shown as a heading, in UTF-16 code units. */
const LONGEST = 100;

/**
 * The first top-level declaration of a block of code without its parameters and body (`export function cutDocument`),
 * or null where there is none (imports, comments, data).
 */
export function declarationOf(text: string, block: Block): string | null {
  for (let start = block.start; start < block.end;) {
    const end = endOfLine(text, start);
    const line = text.slice(start, Math.min(end, start + 4 * LONGEST));
    if (DECLARES.test(line)) return name(line);
    start = end + 1;
  }
  return null;
}

/** Whether a block begins a new top-level declaration: its first line is not indented and does not close an earlier one. */
export function startsDeclaration(text: string, block: Block): boolean {
  return !/[\s})\]]/.test(text[block.start] ?? ' ');
}

function name(line: string): string {
  const head = line
    .replace(/<[^<>]*>/g, '')
    .split(/[({=:;]/, 1)[0]!
    .trim();
  return head.length > LONGEST ? `${[...head].slice(0, LONGEST - 1).join('')}…` : head;
}
