import type { Curve } from '../contracts/curve.ts';
import { grouped } from './quantities.ts';
import type { Style } from './style.ts';

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/** The dots of a braille character, by row and column from the top left. */
const dots = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
];

/** A curve in one line of so many characters: how the last values of its buckets go up and down. */
export function sparkline(curve: Curve, width = 40): string {
  const { buckets, min, max } = curve;
  if (min === null || max === null) return '';
  const columns = Math.min(width, buckets.length);
  return Array.from({ length: columns }, (_, column) => {
    const { last } = buckets[Math.min(buckets.length - 1, Math.floor(((column + 1) * buckets.length) / columns) - 1)]!;
    return bars[max === min ? 3 : Math.min(7, Math.floor(((last - min) / (max - min)) * 8))];
  }).join('');
}

/** A curve as a chart of braille dots, with its range on the left and its steps below: every bucket from its lowest to its highest value. */
export function curveText(
  curve: Curve,
  style: Style,
  { width = 64, height = 8 }: { readonly width?: number; readonly height?: number } = {},
): string {
  const { name, buckets, min, max, points, nonFinite, last } = curve;
  const title = `${style('bold', name)} ${last === null ? '' : `${number(last.value)} at step ${grouped(last.step)}`}`.trimEnd();
  const strange = nonFinite === 0 ? [] : [style('red', `  ${grouped(nonFinite)} of ${grouped(points)} points are no finite number`)];
  if (min === null || max === null) return [title, ...strange, style('dim', '  no points')].join('\n');
  const first = buckets[0]!.from;
  const end = buckets.at(-1)!.to;
  const cells = Array.from({ length: height }, () => new Uint8Array(width));
  const rows = height * 4;
  const row = (value: number): number =>
    Math.min(rows - 1, Math.max(0, Math.round((max === min ? 0.5 : (max - value) / (max - min)) * (rows - 1))));
  const column = (step: number): number => Math.round(end === first ? 0 : ((step - first) / (end - first)) * (width * 2 - 1));
  let before: number | null = null;
  for (const bucket of buckets) {
    let [top, bottom] = [row(bucket.max), row(bucket.min)];
    const to = column(bucket.to);
    for (let x = column(bucket.from); x <= to; x++) {
      // The line goes on from where the last bucket ended.
      if (before !== null) [top, bottom] = [Math.min(top, before), Math.max(bottom, before)];
      for (let y = top; y <= bottom; y++) cells[y >> 2]![x >> 1]! |= dots[y & 3]![x & 1]!;
      before = null;
      [top, bottom] = [row(bucket.max), row(bucket.min)];
    }
    before = row(bucket.last);
  }
  const labels = [number(max), number(min)];
  const margin = Math.max(...labels.map((label) => label.length));
  const lines = cells.map((line, at) => {
    const label = at === 0 ? labels[0]! : at === height - 1 ? labels[1]! : '';
    return `  ${style('dim', `${label.padStart(margin)} ┤`)}${style('cyan', String.fromCodePoint(...Array.from(line, (cell) => 0x2800 + cell)))}`;
  });
  const from = grouped(first);
  const to = grouped(end);
  const axis = `  ${' '.repeat(margin)} └${from}${' '.repeat(Math.max(1, width - from.length - to.length))}${to}`;
  return [title, ...strange, ...lines, style('dim', axis)].join('\n');
}

function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e7) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}
