import { appendFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { ingestJob, metricsFolder } from '../../src/curves/ingest-job.ts';
import { metricsIn, readCurve } from '../../src/curves/read-curve.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let job: string;
beforeEach(async () => {
  job = await temporaryFolder();
});

type Points = Readonly<Record<string, readonly (readonly [number, number | string])[]>>;

function event(type: string, data: object): string {
  return `${JSON.stringify({ v: 1, job: 'j', attempt: 1, seq: 1, t: 0, wall: '', type, data })}\n`;
}

function write(attempt: number, ...batches: readonly Points[]): void {
  const folder = join(job, 'attempts', String(attempt));
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, 'events.jsonl'), batches.map((points) => event('metric', { points })).join(''));
}

const curve = (name: string) => readCurve(metricsFolder(job), name)!;
const steps = (name: string) => curve(name).buckets.map(({ from, last }) => [from, last]);

test('a job that has written nothing has no metrics', () => {
  expect(ingestJob(job)).toBe(0);
  expect(metricsIn(metricsFolder(job))).toEqual([]);
});

test('points are taken once, each metric by itself, and only what is new the next time', () => {
  write(1, {
    loss: [
      [1, 3],
      [2, 2.5],
    ],
    'eval/loss': [[2, 4]],
  });
  expect(ingestJob(job)).toBe(3);
  expect(ingestJob(job)).toBe(0);
  write(1, {
    loss: [
      [3, 'NaN'],
      [4, 2],
    ],
  });
  expect(ingestJob(job)).toBe(2);
  expect(metricsIn(metricsFolder(job))).toEqual(['eval/loss', 'loss']);
  expect(curve('loss')).toMatchObject({ points: 4, nonFinite: 1 });
});

test('a half-written line waits for its end, and a line that is no metric is passed over', () => {
  write(1, { loss: [[1, 3]] });
  const events = join(job, 'attempts', '1', 'events.jsonl');
  appendFileSync(events, event('phase', { name: 'train' }));
  const line = event('metric', { points: { loss: [[2, 1], ['x', 2], [3], [4, 'much']] } });
  appendFileSync(events, line.slice(0, 40));
  expect(ingestJob(job)).toBe(1);
  appendFileSync(events, line.slice(40));
  expect(ingestJob(job)).toBe(1);
  expect(steps('loss')).toEqual([
    [1, 3],
    [2, 1],
  ]);
});

test('a further attempt replaces the points from its first step on', () => {
  write(1, {
    loss: [
      [1, 5],
      [2, 4],
      [3, 3],
    ],
  });
  ingestJob(job);
  write(2, {
    loss: [
      [2, 40],
      [3, 30],
    ],
  });
  ingestJob(job);
  expect(steps('loss')).toEqual([
    [1, 5],
    [2, 40],
    [3, 30],
  ]);
});

test('what was read twice because of a crash is kept once', () => {
  write(1, {
    loss: [
      [1, 5],
      [2, 4],
    ],
  });
  ingestJob(job);
  writeFileSync(join(metricsFolder(job), 'ingested.json'), 'half');
  write(1, { loss: [[3, 3]] });
  expect(ingestJob(job)).toBe(1);
  expect(curve('loss').points).toBe(3);
});

test('while another process is at it nothing is done; one that died is not waited for', () => {
  write(1, { loss: [[1, 5]] });
  const held = join(metricsFolder(job), '.held');
  mkdirSync(held, { recursive: true });
  expect(ingestJob(job)).toBe(0);
  utimesSync(held, 1, 1);
  expect(ingestJob(job)).toBe(1);
});
