import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { UserFrame } from '../contracts/failure-card.ts';

/** Lines shown before and after the one that failed. */
const around = 2;
/** Folders of code that is not the user's: what it was called with is what matters. */
const foreign =
  /node_modules|site-packages|dist-packages|[\\/]lib[\\/]python\d|<frozen|[\\/]src[\\/]engine[\\/]|[\\/]twin_workers[\\/](?!jobs[\\/])/;

interface Frame {
  readonly file: string;
  readonly line: number;
  readonly in: string | null;
}

/** The innermost frame of the user's own code in a stack of JavaScript or a traceback of Python; the innermost of all where none is. */
export function userFrame(stack: string): UserFrame | null {
  const python = /^\s*File ".+", line \d+/m.test(stack);
  const frames = python ? pythonFrames(stack) : scriptFrames(stack);
  const frame = frames.find(({ file }) => !foreign.test(file)) ?? frames[0];
  if (frame === undefined) return null;
  return { language: python ? 'python' : 'typescript', ...frame, source: sourceAround(frame) };
}

/** Innermost first, as JavaScript writes them. */
function scriptFrames(stack: string): readonly Frame[] {
  return stack.split('\n').flatMap((line) => {
    const match = /^\s*at (?:(?:async )?(.+?) \()?((?:file:\/\/)?[^()]+?):(\d+):\d+\)?$/.exec(line);
    if (match === null || match[2]!.startsWith('node:')) return [];
    const file = match[2]!.startsWith('file://') ? fileURLToPath(match[2]!) : match[2]!;
    return [{ file, line: Number(match[3]), in: match[1]?.replace(/^Object\./, '') ?? null }];
  });
}

/** Python writes the innermost last; of chained errors the last one is the one that ended the job. */
function pythonFrames(stack: string): readonly Frame[] {
  const last = stack.slice(Math.max(0, stack.lastIndexOf('Traceback (most recent call last)')));
  return [...last.matchAll(/^\s*File "(.+)", line (\d+)(?:, in (.+))?$/gm)]
    .map((match) => ({ file: match[1]!, line: Number(match[2]), in: match[3] === undefined || match[3] === '<module>' ? null : match[3] }))
    .toReversed();
}

function sourceAround({ file, line }: Frame): UserFrame['source'] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const from = Math.max(1, line - around);
    return lines.slice(from - 1, line + around).map((text, index) => ({ line: from + index, text }));
  } catch {
    return [];
  }
}
