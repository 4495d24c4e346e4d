/** A record of a JSON text with the line that it begins on, or the line at which a record is broken and what is wrong there. */
export type JsonRecord =
  | { readonly ok: true; readonly line: number; readonly value: unknown }
  | { readonly ok: false; readonly line: number; readonly message: string };

/** What may stand next, inside a record. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/** Where a record ends, or where the text stops being JSON. */
type Scan =
  | { readonly ok: true; readonly end: number }
  | { readonly ok: false; readonly at: number; readonly depth: number; readonly expected: string };

/**
 * Records of the JSON array that begins at `start` (the index after its bracket), one by one.
 * A broken record costs itself alone: reading goes on at the next place that looks like the beginning of a record.
 */
export function* arrayRecords(text: string, start: number): Generator<JsonRecord> {
  const line = lineCounter(text);
  const opening = /\s*/y;
  let indent: string | undefined;
  let at = start;
  for (;;) {
    opening.lastIndex = at;
    const space = opening.exec(text)![0];
    at += space.length;
    if (at >= text.length) {
      yield { ok: false, line: line(text.length), message: 'the array has no closing bracket' };
      return;
    }
    if (text[at] === ']') return;
    // Where the first record stands on a line of its own, all do: the surest mark of where the next one begins.
    indent ??= space.includes('\n') ? space.slice(space.lastIndexOf('\n')) : '';
    const scan = scanValue(text, at);
    if (scan.ok) {
      yield parsed(text.slice(at, scan.end), line(at));
      at = scan.end;
      opening.lastIndex = at;
      at += opening.exec(text)![0].length;
      if (text[at] === ',') at += 1;
      else if (text[at] === '{') yield { ok: false, line: line(at), message: 'a comma is missing between two records' };
    } else {
      yield { ok: false, line: line(scan.at), message: `expected ${scan.expected}, found ${shown(text, scan.at)}` };
      const next = nextRecord(text, at, scan, indent);
      if (next === null) return;
      at = next;
    }
  }
}

/** Where the next record seems to begin after one that broke; null where none does. */
function nextRecord(text: string, start: number, scan: Extract<Scan, { ok: false }>, indent: string): number | null {
  if (indent !== '') {
    const next = text.indexOf(`${indent}{`, start + 1);
    return next === -1 ? null : next + indent.length;
  }
  // A record without its closing brace breaks exactly where the next one opens.
  if (text[scan.at] === '{' && scan.depth === 1) return scan.at;
  const separator = /\}\s*,\s*(?=\{\s*")/g;
  separator.lastIndex = scan.at;
  return separator.exec(text) === null ? null : separator.lastIndex;
}

/** Finds the end of the JSON value at `start`, checking its structure only: numbers, words and escapes are left to JSON.parse. */
function scanValue(text: string, start: number): Scan {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === ' ' || character === '\n' || character === '\r' || character === '\t') continue;
    const fail: Scan = { ok: false, at, depth: open.length, expected };
    const isKey: boolean = expected === 'key' || expected === 'key or }';
    if (character === '"') {
      if (expected === ':' || expected === ', or end') return fail;
      const end = stringEnd(text, at);
      if (text[end] !== '"') return { ok: false, at: end, depth: open.length, expected: 'the end of a string' };
      at = end;
      expected = isKey ? ':' : ', or end';
    } else if (character === ':') {
      if (expected !== ':') return fail;
      expected = 'value';
    } else if (character === ',') {
      if (expected !== ', or end') return fail;
      expected = open.at(-1) === '{' ? 'key' : 'value';
    } else if (character === '{' || character === '[') {
      if (expected !== 'value' && expected !== 'value or ]') return fail;
      open.push(character);
      expected = character === '{' ? 'key or }' : 'value or ]';
    } else if (character === '}' || character === ']') {
      const opener = character === '}' ? '{' : '[';
      if (open.at(-1) !== opener || (expected !== ', or end' && expected !== (opener === '{' ? 'key or }' : 'value or ]'))) return fail;
      open.pop();
      expected = ', or end';
    } else {
      if (expected !== 'value' && expected !== 'value or ]') return fail;
      while (at + 1 < text.length && !/[\s,\]}"{[:]/.test(text[at + 1]!)) at += 1;
      expected = ', or end';
    }
    if (open.length === 0) return { ok: true, end: at + 1 };
  }
  return { ok: false, at: text.length, depth: open.length, expected };
}

/** The index of a string's closing quote, or of what makes that impossible: a raw line break or the end of the text. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22 || code === 0x0a) return at;
    if (code === 0x5c) at += 1;
  }
  return text.length;
}

/** Parses one record's text that begins on `line`. */
export function parsed(record: string, line: number): JsonRecord {
  try {
    return { ok: true, line, value: JSON.parse(record) as unknown };
  } catch (error) {
    return { ok: false, line, message: (error as SyntaxError).message.replace(/ in JSON at position .*$/s, '') };
  }
}

function shown(text: string, at: number): string {
  if (at >= text.length) return 'the end of the file';
  return text[at] === '\n' ? 'the end of the line' : `\`${text.slice(at, at + 20).split('\n')[0]}\``;
}

/** The line, from 1, of an index; cheap where the next index asked for is near the last. */
function lineCounter(text: string): (index: number) => number {
  let line = 1;
  let counted = 0;
  return (index) => {
    for (; counted < index; counted += 1) if (text.charCodeAt(counted) === 0x0a) line += 1;
    for (; counted > index; counted -= 1) if (text.charCodeAt(counted - 1) === 0x0a) line -= 1;
    return line;
  };
}
