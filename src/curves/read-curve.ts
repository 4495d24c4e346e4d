import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import type { Curve, CurveBucket } from '../contracts/curve.ts';
import { metricOf, metricPaths, readNumbers } from './metric-file.ts';
import { addPoint, addSpan, emptySpan, fanOut, type Span, spanAt, spanNumbers } from './span.ts';

const pointBytes = 16;
const spanBytes = spanNumbers * 8;

/** The metrics whose points lie in a folder, by name. */
export function metricsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .flatMap((name) => metricOf(name) ?? [])
      .toSorted();
  } catch {
    return [];
  }
}

/**
 * A metric in at most so many buckets. Of a long one, the lowest level of the pyramid that is still fine enough is read, and the points after it:
 * the time does not depend on how many points there are.
 */
export function readCurve(folder: string, metric: string, buckets = 400): Curve | null {
  const paths = metricPaths(folder, metric);
  const files: number[] = [];
  try {
    for (const path of [paths.points, ...paths.spans]) files.push(openSync(path, 'r'));
    const [points, ...spans] = files as [number, ...number[]];
    const counts = spans.map((file) => Math.floor(fstatSync(file).size / spanBytes));
    const total = Math.floor(fstatSync(points).size / pointBytes);
    // The coarsest level that still gives two spans a bucket.
    const level = counts.findLastIndex((count) => count >= 2 * buckets);
    return curveOf(metric, total, spansFrom(points, spans, counts, level, total), buckets, lastPoint(points, total));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** The spans of a level (-1: none, points alone), then what the levels below and the points have beyond them, joined to spans of the same size. */
function spansFrom(points: number, files: readonly number[], counts: readonly number[], level: number, total: number): readonly Span[] {
  const found: Span[] = [];
  let covered = 0;
  for (let at = level; at >= 0; at--) {
    const from = covered / fanOut ** (at + 1);
    const numbers = readNumbers(files[at]!, from * spanNumbers, (counts[at]! - from) * spanNumbers);
    const count = numbers.length / spanNumbers;
    const together = fanOut ** (level - at);
    for (let span = 0; span < count; span += together) {
      const joined = emptySpan();
      for (let each = span; each < Math.min(count, span + together); each++) addSpan(joined, spanAt(numbers, each));
      found.push(joined);
    }
    covered = counts[at]! * fanOut ** (at + 1);
  }
  const pairs = readNumbers(points, covered * 2, (total - covered) * 2);
  const together = level < 0 ? 1 : fanOut ** (level + 1);
  for (let at = 0; at < pairs.length; at += 2 * together) {
    const span = emptySpan();
    for (let pair = at; pair < Math.min(pairs.length, at + 2 * together); pair += 2) addPoint(span, pairs[pair]!, pairs[pair + 1]!);
    found.push(span);
  }
  return found;
}

function curveOf(name: string, points: number, spans: readonly Span[], most: number, last: Curve['last']): Curve {
  const all = emptySpan();
  for (const span of spans) addSpan(all, span);
  const each = Math.max(1, Math.ceil(spans.length / most));
  const buckets: CurveBucket[] = [];
  for (let at = 0; at < spans.length; at += each) {
    const bucket = emptySpan();
    for (const span of spans.slice(at, at + each)) addSpan(bucket, span);
    if (bucket.min <= bucket.max) buckets.push({ from: bucket.from, to: bucket.to, min: bucket.min, max: bucket.max, last: bucket.last });
  }
  const finite = all.min <= all.max;
  return { name, points, nonFinite: all.nonFinite, last, min: finite ? all.min : null, max: finite ? all.max : null, buckets };
}

function lastPoint(file: number, total: number): Curve['last'] {
  if (total === 0) return null;
  const [step, value] = readNumbers(file, (total - 1) * 2, 2) as unknown as [number, number];
  return { step, value };
}
