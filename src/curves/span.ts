/** What a run of points comes to, as the pyramid keeps it. */
export interface Span {
  from: number;
  to: number;
  /** Infinity and -Infinity where no point is finite. */
  min: number;
  max: number;
  /** The last finite value; NaN where there is none. */
  last: number;
  nonFinite: number;
}

/** Numbers that a span takes in a file. */
export const spanNumbers = 6;
/** Spans, or points, that one span of the next level stands for. */
export const fanOut = 256;

/** A span of no points yet. */
export function emptySpan(): Span {
  return { from: NaN, to: NaN, min: Infinity, max: -Infinity, last: NaN, nonFinite: 0 };
}

/** Takes a point into a span. */
export function addPoint(span: Span, step: number, value: number): void {
  if (Number.isNaN(span.from)) span.from = step;
  span.to = step;
  if (!Number.isFinite(value)) {
    span.nonFinite++;
    return;
  }
  if (value < span.min) span.min = value;
  if (value > span.max) span.max = value;
  span.last = value;
}

/** Takes a later span into an earlier one. */
export function addSpan(span: Span, later: Readonly<Span>): void {
  if (Number.isNaN(span.from)) span.from = later.from;
  span.to = later.to;
  if (later.min < span.min) span.min = later.min;
  if (later.max > span.max) span.max = later.max;
  if (!Number.isNaN(later.last)) span.last = later.last;
  span.nonFinite += later.nonFinite;
}

/** A span as numbers. */
export function writeSpan(span: Readonly<Span>, into: Float64Array, at: number): void {
  into.set([span.from, span.to, span.min, span.max, span.last, span.nonFinite], at * spanNumbers);
}

/** The span at a place among numbers. */
export function spanAt(numbers: Float64Array, at: number): Span {
  const [from, to, min, max, last, nonFinite] = numbers.subarray(at * spanNumbers, (at + 1) * spanNumbers) as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { from, to, min, max, last, nonFinite };
}
