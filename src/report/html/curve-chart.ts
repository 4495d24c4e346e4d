import type { Curve } from '../../contracts/curve.ts';
import { grouped } from '../quantities.ts';
import { type Markup, markup } from './markup.ts';

const [width, height] = [460, 170];
const [left, right, top, bottom] = [54, 8, 8, 22];

/** A metric as SVG: a line through its buckets, and around it from the lowest to the highest value of each. */
export function curveChart(curve: Curve): Markup {
  const { name, buckets, min, max, last, points, nonFinite } = curve;
  const strange =
    nonFinite === 0 ? null : markup`<span class="bad">${grouped(nonFinite)} of ${grouped(points)} points are no finite number</span>`;
  const caption = markup`<figcaption>
    <b>${name}</b> ${last === null ? '' : `${numberWords(last.value)} at step ${grouped(last.step)}`} ${strange}
  </figcaption>`;
  if (min === null || max === null)
    return markup`<figure>
      ${caption}
      <p class="note">No points.</p>
    </figure>`;
  const first = buckets[0]!.from;
  const end = buckets.at(-1)!.to;
  const x = (step: number): number => round(left + (end === first ? 0.5 : (step - first) / (end - first)) * (width - left - right));
  const y = (value: number): number => round(top + (max === min ? 0.5 : (max - value) / (max - min)) * (height - top - bottom));
  const middle = (bucket: (typeof buckets)[number]): number => (bucket.from + bucket.to) / 2;
  const upper = buckets.map((bucket) => `${x(middle(bucket))} ${y(bucket.max)}`);
  const lower = buckets.toReversed().map((bucket) => `${x(middle(bucket))} ${y(bucket.min)}`);
  const line = buckets.map((bucket) => `${x(bucket.to)} ${y(bucket.last)}`);
  const band = buckets.some((bucket) => bucket.max > bucket.min)
    ? markup`<path class="band" d="M${[...upper, ...lower].join('L')}Z" />`
    : null;
  const drawn =
    buckets.length === 1
      ? markup`<circle class="dot" cx="${x(end)}" cy="${y(buckets[0]!.last)}" r="3" />`
      : markup`<path class="line" d="M${line.join('L')}" />`;
  const grid = [0, 0.5, 1].map((part) => {
    const value = max - (max - min) * part;
    return markup`<line class="grid" x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" /><text
        x="${left - 6}"
        y="${y(value) + 4}"
        text-anchor="end"
        >${numberWords(value)}</text
      >`;
  });
  return markup`<figure>
    ${caption}<svg
      class="curve"
      role="img"
      aria-label="${name} from ${numberWords(min)} to ${numberWords(max)}"
      viewBox="0 0 ${width} ${height}"
    >
      ${grid}${band}${drawn}
      <text x="${left}" y="${height - 5}">${grouped(first)}</text>
      <text x="${width - right}" y="${height - 5}" text-anchor="end">step ${grouped(end)}</text>
    </svg>
  </figure>`;
}

function numberWords(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e7) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
