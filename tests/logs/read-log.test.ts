import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { LogEntry } from '../../src/contracts/run-log.ts';
import { jobOutputFile, outputFolder, outputName, runLogFile } from '../../src/logs/places.ts';
import { followLog, readLog } from '../../src/logs/read-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let source: { readonly logs: string; readonly jobs: string; readonly run: string };
beforeEach(async () => {
  const folder = await temporaryFolder();
  source = { logs: join(folder, 'logs'), jobs: join(folder, 'jobs'), run: 'r1' };
  await mkdir(outputFolder(source.logs, 'r1'), { recursive: true });
});

const at = (second: number) => Date.parse('2026-03-01T00:00:00Z') + second * 1000;
const event = (second: number, event: object) =>
  appendFile(runLogFile(source.logs, 'r1'), `${JSON.stringify({ at: at(second), ...event })}\n`);
const print = (step: string, text: string) => appendFile(join(outputFolder(source.logs, 'r1'), outputName(step, 1)), text);
const words = (entries: readonly LogEntry[] | null) =>
  entries?.map((entry) => (entry.type === 'step-output' ? `${entry.step} ${entry.stream}: ${entry.text}` : entry.type));

test('a run without a log has none', async () => {
  expect(await readLog(source)).toBe(null);
});

test('events and what the steps printed come in order of time', async () => {
  await event(1, { type: 'step-started', step: 'a#1', attempt: 1 });
  await event(4, { type: 'step-finished', step: 'a#1' });
  await print('a#1', '2026-03-01T00:00:02.000Z out hello\n2026-03-01T00:00:03.000Z err oh\n');
  expect(words(await readLog(source))).toEqual(['step-started', 'a#1 stdout: hello', 'a#1 stderr: oh', 'step-finished']);
});

test('what a job printed is read with its step alone, and stands before the end of it', async () => {
  await event(1, { type: 'job-launched', step: 'train', job: 'j1', attempt: 2 });
  await event(5, { type: 'step-finished', step: 'train' });
  await event(6, { type: 'step-finished', step: 'other' });
  const file = jobOutputFile(source.jobs, 'j1', 2);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, 'loss 1\r loss 2\nwritten without an end');
  expect(words(await readLog(source))).toEqual(['job-launched', 'step-finished', 'step-finished']);
  expect(words(await readLog({ ...source, step: 'train' }))).toEqual([
    'job-launched',
    'train job:  loss 2',
    'step-finished',
    'train job: written without an end',
  ]);
});

test('a line that a crash cut off is left out of the events, and kept of what was printed', async () => {
  await event(1, { type: 'step-started', step: 'a', attempt: 1 });
  await appendFile(runLogFile(source.logs, 'r1'), '{"type":"step-fin');
  await print('a', '2026-03-01T00:00:02.000Z out half a li');
  expect(words(await readLog(source))).toEqual(['step-started', 'a stdout: half a li']);
});

test('following ends with the run, and misses nothing that was written on the way', async () => {
  await event(1, { type: 'step-started', step: 'a', attempt: 1 });
  const seen: string[] = [];
  for await (const entries of followLog(source, { signal: new AbortController().signal, isOver: async () => false })) {
    seen.push(...words(entries)!);
    if (seen.length === 1) await print('a', '2026-03-01T00:00:02.000Z out late\n');
    if (seen.length === 2) {
      await print('a', '2026-03-01T00:00:03.000Z out later\n');
      await event(4, { type: 'run-finished' });
    }
  }
  expect(seen).toEqual(['step-started', 'a stdout: late', 'a stdout: later', 'run-finished']);
});

test('following ends where nobody goes on with the run, and where the reader has had enough', async () => {
  await event(1, { type: 'step-started', step: 'a', attempt: 1 });
  const signal = new AbortController();
  expect((await Array.fromAsync(followLog(source, { signal: signal.signal, isOver: async () => true }))).length).toBe(1);
  for await (const _ of followLog(source, { signal: signal.signal, isOver: async () => false })) signal.abort();
  expect(signal.signal.aborted).toBe(true);
});
