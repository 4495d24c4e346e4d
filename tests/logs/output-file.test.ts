import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { forgetSecrets, registerSecret } from '../../src/contracts/masking.ts';
import { OutputFile } from '../../src/logs/output-file.ts';
import { parseOutputLine } from '../../src/logs/output-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let path: string;
let clock = 0;
const now = () => clock;
beforeEach(async () => {
  path = join(await temporaryFolder(), 'runs', 'step.1.log');
  clock = Date.parse('2026-03-01T04:05:06.000Z');
});

const kept = () => readFileSync(path, 'utf8');

test('an attempt that prints nothing has no file', () => {
  new OutputFile(path).close();
  expect(existsSync(path)).toBe(false);
});

test('each line has its time and its stream, and both are in the order in which they came', () => {
  const file = new OutputFile(path, { now });
  file.write('stdout', 'one\ntwo\n');
  clock += 1500;
  file.write('stderr', 'oh\n');
  expect(kept()).toBe(
    ['2026-03-01T04:05:06.000Z out one', '2026-03-01T04:05:06.000Z out two', '2026-03-01T04:05:07.500Z err oh', ''].join('\n'),
  );
});

test('half a line is on disk at once, goes on where it is, and is marked where the other stream broke into it', () => {
  const file = new OutputFile(path, { now });
  file.write('stdout', 'loa');
  expect(kept()).toBe('2026-03-01T04:05:06.000Z out loa');
  file.write('stdout', 'ding');
  file.write('stderr', 'warning\n');
  file.write('stdout', ' done\n');
  expect(kept()).toBe(
    ['2026-03-01T04:05:06.000Z out loading', '2026-03-01T04:05:06.000Z err warning', '2026-03-01T04:05:06.000Z out+  done', ''].join('\n'),
  );
});

test('a progress bar that returns to the start of its line makes a line each time', () => {
  const file = new OutputFile(path, { now });
  file.write('stderr', '10 %\r20 %\r\nend');
  expect(
    kept()
      .split('\n')
      .map((line) => parseOutputLine(line).text),
  ).toEqual(['10 %', '20 %', 'end']);
});

test('a torrent leaves its beginning, a visible mark, and its end', () => {
  const file = new OutputFile(path, { now, limits: { headBytes: 400, tailBytes: 200 } });
  for (let line = 1; line <= 1000; line++) file.write('stdout', `line ${line}\n`);
  file.close();
  const lines = kept().trimEnd().split('\n').map(parseOutputLine);
  expect(lines[0]!.text).toBe('line 1');
  expect(lines.at(-1)!.text).toBe('line 1000');
  expect(lines.filter(({ stream }) => stream === 'mark').map(({ text }) => text)).toEqual([
    '400 bytes are kept; of what follows, only the end, once the attempt has ended',
    expect.stringMatching(/^\d{5} bytes are left out here$/),
  ]);
  expect(kept().length).toBeLessThan(1000);
});

test('one line without an end cannot fill the memory', () => {
  const file = new OutputFile(path, { now, limits: { headBytes: 100, tailBytes: 200 } });
  for (let piece = 0; piece < 1000; piece++) file.write('stdout', 'x'.repeat(1000));
  file.close();
  expect(kept().length).toBeLessThan(3000);
});

test('a character that comes in two pieces is one, and bytes that are no text are shown as such', () => {
  const file = new OutputFile(path, { now });
  file.write('stdout', new Uint8Array([0xc3]));
  file.write('stdout', new Uint8Array([0xa9, 0xff, 0x0a]));
  expect(kept()).toBe('2026-03-01T04:05:06.000Z out é\uFFFD\n');
});

test('a secret is masked, also where it comes in pieces', () => {
  registerSecret('hunter22hunter');
  const file = new OutputFile(path, { now });
  file.write('stdout', 'key=hunter22');
  file.write('stdout', 'hunter\n');
  file.close();
  forgetSecrets();
  expect(kept()).toBe('2026-03-01T04:05:06.000Z out key=***\n');
});
