import { closeSync, existsSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { addPoint, addSpan, emptySpan, fanOut, type Span, spanAt, spanNumbers, writeSpan } from './span.ts';

const numberBytes = 8;
const pointBytes = 2 * numberBytes;
const spanBytes = spanNumbers * numberBytes;
/** Levels of the pyramid: three stand for 16.7 million points in one span. */
export const levels = 3;

/** The files of a metric: its points, as pairs of step and value, and the spans of each level of the pyramid above them. */
export function metricPaths(folder: string, metric: string): { readonly points: string; readonly spans: readonly string[] } {
  const name = encodeURIComponent(metric).replaceAll('.', '%2E');
  const at = (ending: string) => join(folder, `${name}.${ending}`);
  return { points: at('points'), spans: Array.from({ length: levels }, (_, level) => at(`spans${level + 1}`)) };
}

/** The name of the metric whose points lie in a file; null where it is no such file. */
export function metricOf(fileName: string): string | null {
  return fileName.endsWith('.points') ? decodeURIComponent(fileName.slice(0, -'.points'.length)) : null;
}

/**
 * Takes the points of one metric. A level of the pyramid is written once its span is full, so that a crash leaves levels that lag behind the points
 * and never run ahead of them; opening catches up.
 */
export class MetricFile {
  readonly #points: number;
  readonly #spans: readonly number[];
  /** Points, and spans of each level, that are in the files. */
  readonly #counts: number[];
  /** The span of each level that is not full yet. */
  readonly #open: Span[];

  constructor(folder: string, metric: string) {
    mkdirSync(folder, { recursive: true });
    const paths = metricPaths(folder, metric);
    this.#points = openSync(paths.points, existsSync(paths.points) ? 'r+' : 'w+');
    this.#spans = paths.spans.map((path) => openSync(path, existsSync(path) ? 'r+' : 'w+'));
    this.#counts = [Math.floor(fstatSync(this.#points).size / pointBytes)];
    this.#open = Array.from({ length: levels }, emptySpan);
    this.#recover();
  }

  /** The last step that was taken; null where there is none. */
  get lastStep(): number | null {
    return this.#counts[0] === 0 ? null : this.#read(this.#points, this.#counts[0]! - 1, 1, 2)[0]!;
  }

  /** Takes points: step, value, step, value, … */
  append(pairs: Float64Array): void {
    writeAt(this.#points, pairs, this.#counts[0]! * pointBytes);
    this.#raise(pairs);
  }

  /** Leaves out the points from a step on: a job that goes on from a checkpoint makes them again. */
  cutFrom(step: number): void {
    let [low, high] = [0, this.#counts[0]!];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#read(this.#points, middle, 1, 2)[0]! < step) low = middle + 1;
      else high = middle;
    }
    if (low === this.#counts[0]) return;
    // The levels go first: they may lag behind the points.
    let covered = low;
    for (const file of this.#spans) ftruncateSync(file, (covered = Math.floor(covered / fanOut)) * spanBytes);
    ftruncateSync(this.#points, low * pointBytes);
    this.#counts[0] = low;
    this.#recover();
  }

  close(): void {
    for (const file of [this.#points, ...this.#spans]) closeSync(file);
  }

  /** Drops what was half written, and brings the levels up to the points. */
  #recover(): void {
    let covered = this.#counts[0]!;
    for (const [level, file] of this.#spans.entries()) {
      covered = Math.min(Math.floor(fstatSync(file).size / spanBytes), Math.floor(covered / fanOut));
      ftruncateSync(file, covered * spanBytes);
      this.#counts[level + 1] = covered;
      this.#open[level] = emptySpan();
    }
    // From the top down, so that a span that fills up finds the one above it in order.
    for (let level = levels - 1; level > 0; level--) {
      const from = this.#counts[level + 1]! * fanOut;
      const spans = this.#read(this.#spans[level - 1]!, from, this.#counts[level]! - from, spanNumbers);
      for (let at = 0; at < spans.length / spanNumbers; at++) this.#raiseSpan(level, spanAt(spans, at), from + at + 1);
    }
    const from = this.#counts[1]! * fanOut;
    const total = this.#counts[0]!;
    this.#counts[0] = from;
    for (let at = from; at < total; at += 65_536) this.#raise(this.#read(this.#points, at, Math.min(65_536, total - at), 2));
  }

  #raise(pairs: Float64Array): void {
    for (let at = 0; at < pairs.length; at += 2) {
      addPoint(this.#open[0]!, pairs[at]!, pairs[at + 1]!);
      this.#counts[0]!++;
      if (this.#counts[0]! % fanOut === 0) this.#full(0);
    }
  }

  #raiseSpan(level: number, span: Span, count: number): void {
    addSpan(this.#open[level]!, span);
    if (count % fanOut === 0) this.#full(level);
  }

  /** Writes the span of a level that is full, and takes it into the one above. */
  #full(level: number): void {
    const span = this.#open[level]!;
    const numbers = new Float64Array(spanNumbers);
    writeSpan(span, numbers, 0);
    writeAt(this.#spans[level]!, numbers, this.#counts[level + 1]! * spanBytes);
    this.#counts[level + 1]!++;
    this.#open[level] = emptySpan();
    if (level + 1 < levels) this.#raiseSpan(level + 1, span, this.#counts[level + 1]!);
  }

  #read(file: number, from: number, count: number, each: number): Float64Array {
    return readNumbers(file, from * each, count * each);
  }
}

/** Numbers of an open file; fewer where it ends before. */
export function readNumbers(file: number, from: number, count: number): Float64Array {
  const numbers = new Float64Array(Math.max(0, count));
  const bytes = new Uint8Array(numbers.buffer);
  let read = 0;
  while (read < bytes.length) {
    const more = readSync(file, bytes, read, bytes.length - read, from * numberBytes + read);
    if (more === 0) break;
    read += more;
  }
  return read === bytes.length ? numbers : numbers.subarray(0, Math.floor(read / numberBytes));
}

function writeAt(file: number, numbers: Float64Array, position: number): void {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}
