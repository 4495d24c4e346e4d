import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { collectGarbage } from '../../src/cli/commands/gc.ts';
import { run } from '../../src/cli/commands/run.ts';
import { said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;
const state = (...path: string[]) => join(folder, '.twin', ...path);
const sizes = (text: string) => text.replaceAll(/\d+(\.\d)? (B|kB|MB)/g, '<size>').replaceAll(/ +<size>/g, ' <size>');

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const count of [3, 4, 5]) {
    await said({ folder }, (context) => run(context, { set: [`read-words.count=${count}`] }, 'words-pipeline'));
  }
});

test('twin gc frees what older runs left, tells it by kind, and a dry run says the same', async () => {
  writeFileSync(state('logs', 'notes.txt'), 'mine');
  const dry = await said({ folder }, (context) => collectGarbage(context, { dryRun: true, keepRuns: '1' }));
  expect(sizes(dry.stdout)).toMatchInlineSnapshot(`
    "would free <size>
    WHAT              COUNT  SIZE
    results of steps      6 <size>
    artifacts             4 <size>
    logs                  4 <size>
    reports               2 <size>
    kept: 1 run, 2 artifacts of <size>
    left alone, as twin did not name them: <folder>/.twin/logs/notes.txt
    → twin gc
    "
  `);
  expect(readdirSync(state('reports'))).toHaveLength(3);
  const swept = await said({ folder, json: true }, (context) => collectGarbage(context, { keepRuns: '1' }));
  const [told, again] = [JSON.parse(swept.stdout) as { freed: object; dryRun: boolean }, dry.results[0] as { freed: object }];
  expect(told.freed).toEqual(again.freed);
  expect(readdirSync(state('reports'))).toHaveLength(1);
  expect(readdirSync(state('logs')).toSorted()).toEqual([expect.stringMatching(/^\d{8}-/), expect.stringMatching(/\.jsonl$/), 'notes.txt']);
  const cached = await said({ folder }, (context) => run(context, { set: ['read-words.count=5'] }, 'words-pipeline'));
  expect(cached.stdout).toContain('3 cached');
});

test('twin gc keeps thirty days and ten runs where nothing else is said', async () => {
  const kept = await said({ folder }, (context) => collectGarbage(context, {}));
  expect(sizes(kept.stdout)).toMatchInlineSnapshot(`
    "Nothing to free.
    kept: 3 runs, 6 artifacts of <size>
    "
  `);
});

test('a folder of a job goes once it is old and no kept run has its key; a half-removed one never stands under its name', async () => {
  const [old, young] = [state('jobs', 'a'.repeat(64)), state('jobs', 'b'.repeat(64))];
  for (const job of [old, young]) mkdirSync(join(job, 'attempts'), { recursive: true });
  utimesSync(old, 1, 1);
  mkdirSync(state('jobs', 'mine'));
  mkdirSync(state('trash', 'jobs-half'), { recursive: true });
  const swept = await said({ folder }, (context) => collectGarbage(context, {}));
  expect(swept.stdout).toContain('left alone, as twin did not name them: <folder>/.twin/jobs/mine');
  expect([existsSync(old), existsSync(young), existsSync(state('trash'))]).toEqual([false, true, false]);
});

test.each([
  [
    { olderThan: 'soon' },
    '--older-than has a wrong value\n  expected  a number and one of m, h, d, w\n  found     soon\n  → For example: --older-than 30d',
  ],
  [
    { keepRuns: '0' },
    '--keep-runs has a wrong value\n  expected  a whole number greater than 0\n  found     0\n  → For example: --keep-runs 5',
  ],
])('%o is refused with what would be right', async (flags, message) => {
  const refused = await said({ folder }, (context) => collectGarbage(context, flags));
  expect([refused.stderr, refused.exit]).toEqual([`error: ${message}\n`, 2]);
});
