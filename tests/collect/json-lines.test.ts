import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lineRecords } from '../../src/collect/json-lines.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function read(content: string | Buffer, maxBytes = 1000) {
  const file = join(await temporaryFolder(), 'lines.jsonl');
  await writeFile(file, content);
  return Array.fromAsync(lineRecords(file, maxBytes));
}

test('each line is a record, blank ones aside, with or without a line end at the last', async () => {
  expect(await read('{"a":1}\r\n\n{"a":2}\n{"a":3}')).toEqual([
    { ok: true, line: 1, value: { a: 1 } },
    { ok: true, line: 3, value: { a: 2 } },
    { ok: true, line: 4, value: { a: 3 } },
  ]);
});

test('a line that is broken, too large or not UTF-8 is named and the rest goes on', async () => {
  const content = Buffer.concat([
    Buffer.from('{"a":\n'),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from(`"${'x'.repeat(100)}"\n"last"`),
  ]);
  expect(await read(content, 50)).toEqual([
    { ok: false, line: 1, message: 'Unexpected end of JSON input' },
    { ok: false, line: 2, message: 'the line is not UTF-8: byte 1 begins no character' },
    { ok: false, line: 3, message: 'the line is too large: more than 50 bytes' },
    { ok: true, line: 4, value: 'last' },
  ]);
});

test('lines longer than what is read at once come whole', async () => {
  const long = 'é'.repeat(400_000);
  expect(await read(`"${long}"\n"${long}"\n`, 10_000_000)).toEqual([
    { ok: true, line: 1, value: long },
    { ok: true, line: 2, value: long },
  ]);
});
