import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { lastLines } from '../../src/logs/last-lines.ts';
import { jobOutputFile, outputFolder, outputName, runLogFile } from '../../src/logs/places.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('the last words of a step are what it logged and printed in its last attempt, and what its job printed', async () => {
  const folder = await temporaryFolder();
  const source = { logs: join(folder, 'logs'), jobs: join(folder, 'jobs'), run: 'r1' };
  await mkdir(outputFolder(source.logs, 'r1'), { recursive: true });
  const log = runLogFile(source.logs, 'r1');
  const at = Date.parse('2026-03-01T00:00:01.500Z');
  for (const event of [
    { at, type: 'step-log', step: 'train', message: 'runs on cpu' },
    { at, type: 'step-log', step: 'other', message: 'not asked for' },
    { at, type: 'job-launched', step: 'train', job: 'j1', attempt: 1 },
  ])
    await appendFile(log, `${JSON.stringify(event)}\n`);
  const output = (attempt: number) => join(outputFolder(source.logs, 'r1'), outputName('train', attempt));
  await writeFile(output(1), '2026-03-01T00:00:00.000Z out of the first try\n');
  await writeFile(output(2), `2026-03-01T00:00:01.000Z out early\n2026-03-01T00:00:02.000Z err late\n`);
  const job = jobOutputFile(source.jobs, 'j1', 1);
  await mkdir(dirname(job), { recursive: true });
  await writeFile(job, `${'padding of a long log\n'.repeat(10_000)}\nCUDA is not there`);
  const lines = await lastLines(source, ['train', 'silent'], 200);
  const texts = lines.get('train')!.map(({ stream, text }) => `${stream} ${text}`);
  expect(texts).toHaveLength(200);
  expect(texts.at(-1)).toBe('job CUDA is not there');
  expect(lines.get('silent')).toEqual([]);
  await writeFile(job, 'CUDA is not there\n');
  expect((await lastLines(source, ['train'], 20)).get('train')!.map(({ stream, text }) => `${stream} ${text}`)).toEqual([
    'stdout early',
    'stdout runs on cpu',
    'stderr late',
    'job CUDA is not there',
  ]);
});
