import type { RunView, StepView } from '../../contracts/run-view.ts';
import { counted } from '../quantities.ts';
import { exactDuration } from './exact-duration.ts';
import { layOut } from './layered-graph.ts';
import { type Markup, markup } from './markup.ts';
import { stateGlyph } from './states.ts';

/** Nodes that a drawing may have and still say something; steps of one kind are then one node, and beyond that there is none. */
const mostNodes = 160;
const nodeHeight = 40;
const padding = 8;
const letter = 7.9;

interface Node {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly state: StepView['state'];
  readonly link: string | null;
  readonly after: readonly string[];
}

/** The graph of a run with the outcome of each step, as SVG; in words where it is too large to be drawn. */
export function graphMarkup(view: RunView, linked: ReadonlySet<string>): Markup {
  const all = view.steps.map((step) => nodeOf(step, linked));
  const grouped = all.length > mostNodes ? groupedNodes(view.steps) : all;
  if (grouped.length > mostNodes) {
    return markup`<p class="note">${counted(view.steps.length, 'step')} are too many to draw. The table below has them.</p>`;
  }
  const note = grouped === all ? null : markup`<p class="note">${counted(all.length, 'step')}: those of one kind are drawn as one.</p>`;
  return markup`${note}
    <div class="scroll">${drawing(grouped, view.pipeline)}</div>`;
}

function nodeOf(step: StepView, linked: ReadonlySet<string>): Node {
  const took = step.durationMs !== null && (step.state === 'succeeded' || step.state === 'failed') ? exactDuration(step.durationMs) : null;
  return {
    id: step.address,
    title: step.address,
    note: [step.state, took].filter((part) => part !== null).join(', '),
    state: step.state,
    link: linked.has(step.address) ? `#step-${encodeURIComponent(step.address)}` : null,
    after: stepsBefore(step),
  };
}

/** The addresses of the steps that a step reads from or waits for. */
export function stepsBefore(step: Pick<StepView, 'inputs'>): readonly string[] {
  return Object.entries(step.inputs).map(([name, wire]) => (name.startsWith('after:') ? wire : wire.slice(0, wire.lastIndexOf('.'))));
}

/** Steps of one kind at one depth as one node: the worst that became of them is its colour. */
function groupedNodes(steps: readonly StepView[]): readonly Node[] {
  const groups = Map.groupBy(steps, ({ step }) => step);
  const groupOf = new Map(steps.map(({ address, step }) => [address, step]));
  const worst: readonly StepView['state'][] = [
    'failed',
    'cancelled',
    'running',
    'queued',
    'ready',
    'pending',
    'skipped',
    'succeeded',
    'cached',
  ];
  return [...groups].map(([name, members]) => {
    const counts = Map.groupBy(members, ({ state }) => state);
    return {
      id: name,
      title: members.length === 1 ? members[0]!.address : `${name} × ${members.length}`,
      note: [...counts].map(([state, { length }]) => (members.length === 1 ? state : `${length} ${state}`)).join(', '),
      state: worst.find((state) => counts.has(state))!,
      link: null,
      after: [...new Set(members.flatMap(stepsBefore).flatMap((address) => groupOf.get(address) ?? []))].filter((other) => other !== name),
    };
  });
}

function drawing(nodes: readonly Node[], title: string): Markup {
  const widths = new Map(
    nodes.map((node) => [node.id, Math.max(96, Math.max(node.title.length + 2, node.note.length * 0.85) * letter + 26)]),
  );
  const layout = layOut(
    nodes.map(({ id, after }) => ({ id, after, width: widths.get(id)! })),
    { nodeHeight, rowGap: 34, nodeGap: 18 },
  );
  const width = Math.ceil(layout.width + 2 * padding);
  const height = Math.ceil(layout.height + 2 * padding);
  const edges = layout.edges.map(({ points }) => markup`<path d="${curveThrough(points)}" />`);
  const boxes = nodes.map((node) => {
    const { x, y } = layout.nodes.get(node.id)!;
    const w = widths.get(node.id)!;
    const box = markup`<g class="node ${node.state}" transform="translate(${round(x - w / 2)} ${round(y)})"
      ><title>${node.title}: ${node.note}</title><rect width="${round(w)}" height="${nodeHeight}" rx="7" /><rect
        class="mark"
        width="5"
        height="${nodeHeight}"
        rx="2.5"
      /><text x="14" y="17" class="name"><tspan class="glyph">${stateGlyph(node.state)}</tspan> ${node.title}</text
      ><text x="14" y="32" class="sub">${node.note}</text></g
    >`;
    return node.link === null ? box : markup`<a href="${node.link}">${box}</a>`;
  });
  return markup`<svg
    class="graph"
    role="img"
    aria-label="Graph of ${title}"
    viewBox="${-padding} ${-padding} ${width} ${height}"
    width="${width}"
    height="${height}"
  >
    <g class="edges">${edges}</g>
    ${boxes}
  </svg>`;
}

/** A line through points that leaves and reaches each row straight down. */
function curveThrough(points: readonly (readonly [number, number])[]): string {
  return points
    .map(([x, y], at) => {
      if (at === 0) return `M${round(x)} ${round(y)}`;
      const [fromX, fromY] = points[at - 1]!;
      const middle = round((fromY + y) / 2);
      return `C${round(fromX)} ${middle} ${round(x)} ${middle} ${round(x)} ${round(y)}`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
