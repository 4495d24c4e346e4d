import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lastAttempt, lastLines } from '../../src/workers/attempt-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the last attempt is the highest number, drafts left out', async () => {
  const folder = await temporaryFolder();
  expect(await lastAttempt(folder)).toBe(0);
  for (const name of ['1', '2', '10', '.11-draft']) await mkdir(join(folder, 'attempts', name), { recursive: true });
  expect(await lastAttempt(folder)).toBe(10);
});

test('the last lines are at most 200 of what was printed, and none where nothing was', async () => {
  const folder = await temporaryFolder();
  expect(await lastLines(folder)).toEqual([]);
  await writeFile(join(folder, 'output.log'), '');
  expect(await lastLines(folder)).toEqual([]);
  await writeFile(join(folder, 'output.log'), Array.from({ length: 300 }, (_, index) => `line ${index}${'.'.repeat(1000)}\n`).join(''));
  const lines = await lastLines(folder);
  expect(lines.at(-1)).toMatch(/^line 299\.+$/);
  expect(lines.length).toBeLessThanOrEqual(200);
});
