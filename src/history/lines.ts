import { createReadStream } from 'node:fs';

/** The lines of a text file that are not empty, without their ends. */
export async function* linesOf(path: string): AsyncGenerator<string> {
  const unfinished: string[] = [];
  for await (const chunk of createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 18 }) as AsyncIterable<string>) {
    if (!chunk.includes('\n')) {
      unfinished.push(chunk);
      continue;
    }
    const lines = chunk.split('\n');
    lines[0] = [...unfinished.splice(0), lines[0]!].join('');
    unfinished.push(lines.pop()!);
    for (const line of lines) if (line !== '') yield line;
  }
  const last = unfinished.join('');
  if (last !== '') yield last;
}
