import { open } from 'node:fs/promises';
import type { StoredDocument } from '../contracts/document.ts';

/** What betrays a document: any file that holds one of these bytes is about it. */
export interface Trace {
  readonly what: 'id' | 'address' | 'author' | 'content';
  readonly bytes: Buffer;
}

const pieceBytes = 1 << 20;
/** A line of the document that is as long as this is its own. */
const ownLine = 48;
const linesOfDocument = 3;

/** Marks by which a document is found again: its id and address, its author where the whole author goes, and a few of its longest lines. */
export function tracesOf(document: StoredDocument, withAuthor: boolean): readonly Trace[] {
  const lines = document.content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length >= ownLine)
    .toSorted((one, other) => other.length - one.length)
    .slice(0, linesOfDocument);
  const author = withAuthor ? [document.authorId, document.authorName].filter((name) => name !== null && name.length >= 3) : [];
  return [
    trace('id', document.id),
    trace('address', document.address),
    ...author.map((name) => trace('author', name!)),
    ...lines.map((line) => trace('content', line)),
  ];
}

/** As it stands within JSON and within text: both are written without escapes for what is not special. */
function trace(what: Trace['what'], text: string): Trace {
  return { what, bytes: Buffer.from(JSON.stringify(text).slice(1, -1)) };
}

/** Whether text holds a trace. */
export function holdsTrace(text: string | Buffer, traces: readonly Trace[]): boolean {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return traces.some((trace) => bytes.includes(trace.bytes));
}

/** The kinds of traces in a file, read in pieces that overlap by the longest trace. */
export async function tracesInFile(path: string, traces: readonly Trace[]): Promise<ReadonlySet<Trace['what']>> {
  const longest = Math.max(1, ...traces.map(({ bytes }) => bytes.length));
  const found = new Set<Trace['what']>();
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(pieceBytes + longest);
    for (let position = 0, kept = 0; ;) {
      const { bytesRead } = await file.read(buffer, kept, pieceBytes, position);
      const piece = buffer.subarray(0, kept + bytesRead);
      for (const { what, bytes } of traces) if (!found.has(what) && piece.includes(bytes)) found.add(what);
      if (bytesRead === 0) return found;
      position += bytesRead;
      kept = Math.min(longest - 1, piece.length);
      piece.copy(buffer, 0, piece.length - kept);
    }
  } finally {
    await file.close();
  }
}
