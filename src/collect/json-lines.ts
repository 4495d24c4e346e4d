import { createReadStream } from 'node:fs';
import { decode, megabytes } from './read-text.ts';
import { parsed, type JsonRecord } from './json-records.ts';

/** Records of a JSON Lines file, streamed, so that its size does not matter; only one line may not reach `maxBytes`. Blank lines are no records. */
export async function* lineRecords(path: string, maxBytes: number): AsyncGenerator<JsonRecord> {
  let line = 0;
  for await (const bytes of lines(path, maxBytes)) {
    line += 1;
    if (typeof bytes === 'number') {
      yield { ok: false, line, message: `the line is too large: more than ${megabytes(maxBytes)}` };
      continue;
    }
    const read = decode(bytes, 'the line');
    if (read.ok) yield parsed(read.text, line);
    else if (read.finding.reason !== 'empty') yield { ok: false, line, message: read.finding.message };
  }
}

/** Lines as bytes without their ends; a number stands for a line of that many bytes or more that was not kept. */
async function* lines(path: string, maxBytes: number): AsyncGenerator<Buffer | number> {
  let pending: Buffer[] = [];
  let size = 0;
  const take = (): Buffer | number => {
    const line = size >= maxBytes ? size : Buffer.concat(pending);
    pending = [];
    size = 0;
    return line;
  };
  const add = (part: Buffer): void => {
    size += part.length;
    if (size < maxBytes) pending.push(part);
    else pending = [];
  };
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (size > 0) yield take();
}
