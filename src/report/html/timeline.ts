import type { RunReport, TimelineSpan } from '../../contracts/run-report.ts';
import { grouped } from '../quantities.ts';
import { exactDuration } from './exact-duration.ts';
import { type Markup, markup } from './markup.ts';

/** Steps that are drawn; of more, those that took longest. */
const mostRows = 120;
const rowHeight = 22;
const axisHeight = 24;
const width = 1000;
const nameWidth = 280;
const letters = 36;

/** When each step waited and worked, as SVG. */
export function timelineMarkup({ view, timeline }: RunReport): Markup {
  const took = (spans: readonly TimelineSpan[]): number =>
    spans.some(({ kind }) => kind === 'failed') ? Infinity : spans.reduce((sum, { from, to }) => sum + to - from, 0);
  const longest = [...timeline].toSorted((left, right) => took(right[1]) - took(left[1])).slice(0, mostRows);
  if (longest.length === 0) return markup`<p class="note">No step took any time of its own.</p>`;
  const chosen = new Set(longest.map(([step]) => step));
  const rows = [...timeline]
    .filter(([step]) => chosen.has(step))
    .toSorted((left, right) => (left[1][0]?.from ?? 0) - (right[1][0]?.from ?? 0));
  const end = Math.max(1, view.durationMs ?? 0, ...rows.flatMap(([, spans]) => spans.map(({ to }) => to)));
  const x = (ms: number): number => Math.round((nameWidth + (ms / end) * (width - nameWidth)) * 10) / 10;
  const height = rows.length * rowHeight + axisHeight;
  const states = new Map(view.steps.map(({ address, state }) => [address, state]));
  const ticks = ticksUpTo(end).map(
    (ms) =>
      markup`<g class="tick"
        ><line x1="${x(ms)}" x2="${x(ms)}" y1="0" y2="${height - axisHeight}" /><text x="${x(ms)}" y="${height - 7}" text-anchor="middle"
          >${exactDuration(ms)}</text
        ></g
      >`,
  );
  const bars = rows.map(([step, spans], at) => {
    const y = at * rowHeight;
    const pieces = spans.map(({ kind, from, to, attempt }) => {
      const w = Math.max(1.5, x(to) - x(from));
      const what =
        kind === 'waiting' ? 'waited' : attempt !== null && attempt > 1 ? `attempt ${attempt}` : kind === 'failed' ? 'failed' : 'worked';
      return markup`<rect
        class="${kind === 'working' ? (states.get(step) ?? 'succeeded') : kind}"
        x="${x(from)}"
        y="${y + 5}"
        width="${w}"
        height="12"
        rx="2"
        ><title>${step} ${what} ${exactDuration(to - from)}, from ${exactDuration(from)} on</title></rect
      >`;
    });
    return markup`<g class="row"
      ><text x="${nameWidth - 10}" y="${y + 15}" text-anchor="end">${shortened(step)}<title>${step}</title></text>${pieces}</g
    >`;
  });
  const left = timeline.size - rows.length;
  const note =
    left > 0 ? markup`<p class="note">The ${rows.length} steps that failed or took longest of ${grouped(timeline.size)}.</p>` : null;
  return markup`${note}
    <div class="scroll">
      <svg class="timeline" role="img" aria-label="Timeline" viewBox="0 0 ${width + 30} ${height}" width="${width + 30}" height="${height}">
        ${ticks}${bars}
      </svg>
    </div>`;
}

/** A handful of round moments. */
function ticksUpTo(end: number): readonly number[] {
  const units = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000,
  ];
  const step = units.find((unit) => end / unit <= 8) ?? Math.ceil(end / 8 / 3_600_000) * 3_600_000;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, at) => at * step);
}

/** The end of an address says more than its beginning. */
function shortened(address: string): string {
  return address.length <= letters ? address : `…${address.slice(1 - letters)}`;
}
