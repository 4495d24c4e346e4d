import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { MetricFile } from './metric-file.ts';

/** How far the events of a job were read: metrics are made of them and can be made again. */
interface Progress {
  readonly attempt: number;
  readonly bytes: number;
}

const chunkBytes = 4 << 20;
/** A reader that holds the folder for longer has died. */
const holdMs = 60_000;
const words: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

/** The folder of a job's metrics. */
export function metricsFolder(jobFolder: string): string {
  return join(jobFolder, 'metrics');
}

/**
 * Brings the metric files of a job up to what its attempts have written so far, and says how many points were new.
 * A further attempt goes on from a checkpoint: it replaces the points from its first step on. Where another process is at it, nothing is done.
 */
export function ingestJob(jobFolder: string): number {
  const folder = metricsFolder(jobFolder);
  const attempts = attemptsOf(jobFolder);
  if (attempts.length === 0 || !hold(folder)) return 0;
  const files = new Map<string, MetricFile>();
  const place = join(folder, 'ingested.json');
  let points = 0;
  try {
    let progress = progressAt(place);
    for (const attempt of attempts) {
      if (attempt < progress.attempt) continue;
      const fresh = new Set<string>();
      const isNew = attempt > progress.attempt && progress.attempt > 0;
      if (attempt > progress.attempt) progress = { attempt, bytes: 0 };
      const bytes = eachLine(join(jobFolder, 'attempts', String(attempt), 'events.jsonl'), progress.bytes, (line) => {
        for (const [metric, pairs] of metricPoints(line)) {
          let file = files.get(metric);
          if (file === undefined) files.set(metric, (file = new MetricFile(folder, metric)));
          if (isNew && !fresh.has(metric)) file.cutFrom(pairs[0]!);
          fresh.add(metric);
          // Read twice after a crash: what is there already is not taken again.
          const from = firstAfter(pairs, file.lastStep);
          file.append(from === 0 ? pairs : pairs.slice(from));
          points += (pairs.length - from) / 2;
        }
      });
      progress = { attempt, bytes };
      writeFileSync(`${place}.new`, JSON.stringify(progress));
      renameSync(`${place}.new`, place);
    }
    return points;
  } finally {
    for (const file of files.values()) file.close();
    release(folder);
  }
}

function attemptsOf(jobFolder: string): readonly number[] {
  try {
    const names = readdirSync(join(jobFolder, 'attempts'));
    return names
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .toSorted((left, right) => left - right);
  } catch {
    return [];
  }
}

function progressAt(place: string): Progress {
  try {
    return JSON.parse(readFileSync(place, 'utf8')) as Progress;
  } catch {
    return { attempt: 0, bytes: 0 };
  }
}

/** Hands over every complete line from a place in a file on; the place after the last of them. */
function eachLine(path: string, from: number, take: (line: string) => void): number {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return from;
  }
  try {
    let buffer = Buffer.alloc(chunkBytes);
    for (let position = from; ;) {
      const read = readSync(file, buffer, 0, buffer.length, position);
      const end = buffer.subarray(0, read).lastIndexOf(0x0a);
      if (end < 0) {
        if (read < buffer.length) return position;
        // One line that is longer than the buffer.
        buffer = Buffer.alloc(buffer.length * 2);
        continue;
      }
      for (const line of buffer.toString('utf8', 0, end).split('\n')) take(line);
      position += end + 1;
    }
  } finally {
    closeSync(file);
  }
}

/** The points in a line of events, by metric, those that are right; none where the line is another event. */
function* metricPoints(line: string): Generator<readonly [metric: string, pairs: Float64Array]> {
  if (!line.includes('"type":"metric"')) return;
  let event: { readonly data?: { readonly points?: unknown } };
  try {
    event = JSON.parse(line) as typeof event;
  } catch {
    return;
  }
  const points = event.data?.points;
  if (typeof points !== 'object' || points === null) return;
  for (const [metric, series] of Object.entries(points)) {
    if (!Array.isArray(series)) continue;
    const pairs = new Float64Array(series.length * 2);
    let length = 0;
    for (const point of series as readonly unknown[]) {
      if (!Array.isArray(point) || typeof point[0] !== 'number') continue;
      const [step, given] = point as unknown as readonly [number, unknown];
      const value = typeof given === 'number' ? given : typeof given === 'string' ? words[given] : undefined;
      if (value === undefined) continue;
      pairs[length++] = step;
      pairs[length++] = value;
    }
    if (length > 0) yield [metric, length === pairs.length ? pairs : pairs.slice(0, length)];
  }
}

/** The place of the first pair after a step. */
function firstAfter(pairs: Float64Array, step: number | null): number {
  if (step === null || pairs[0]! > step) return 0;
  for (let at = 0; at < pairs.length; at += 2) if (pairs[at]! > step) return at;
  return pairs.length;
}

function hold(folder: string): boolean {
  const lock = join(folder, '.held');
  mkdirSync(folder, { recursive: true });
  try {
    mkdirSync(lock);
    return true;
  } catch {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age < holdMs) return false;
    release(folder);
    return hold(folder);
  }
}

function release(folder: string): void {
  try {
    rmdirSync(join(folder, '.held'));
  } catch {
    // Taken over by another process, which took this one for dead.
  }
}
