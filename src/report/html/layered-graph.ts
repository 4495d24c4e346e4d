/** A node of a graph to lay out. */
export interface GraphItem {
  readonly id: string;
  readonly width: number;
  /** Ids of what it depends on; unknown ones are passed over. */
  readonly after: readonly string[];
}

/** Where everything stands. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  /** The middle of the upper edge of each node. */
  readonly nodes: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly edges: readonly { readonly from: string; readonly to: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

/** Sizes of the drawing. */
export interface GraphSizes {
  readonly nodeHeight: number;
  readonly rowGap: number;
  readonly nodeGap: number;
}

interface Cell {
  readonly id: string | null;
  readonly width: number;
  x: number;
  /** The cells of the row above and below that it is joined with. */
  readonly above: Cell[];
  readonly below: Cell[];
}

const laneWidth = 12;
const sweeps = 6;

/** Lays a graph out in rows from top to bottom: each node below all that it depends on, edges through lanes of their own between other nodes. */
export function layOut(items: readonly GraphItem[], sizes: GraphSizes): GraphLayout {
  const rowOf = rowsByDepth(items);
  const rows: Cell[][] = Array.from({ length: Math.max(-1, ...rowOf.values()) + 1 }, () => []);
  const cells = new Map<string, Cell>();
  for (const { id, width } of items) {
    const cell = newCell(id, width);
    cells.set(id, cell);
    rows[rowOf.get(id)!]!.push(cell);
  }
  const paths: { readonly from: string; readonly to: string; readonly cells: readonly Cell[] }[] = [];
  for (const { id, after } of items) {
    for (const from of new Set(after)) {
      if (!cells.has(from)) continue;
      const path = [cells.get(from)!];
      for (let row = rowOf.get(from)! + 1; row < rowOf.get(id)!; row++) {
        const lane = newCell(null, laneWidth);
        rows[row]!.push(lane);
        path.push(lane);
      }
      path.push(cells.get(id)!);
      for (let at = 1; at < path.length; at++) {
        path[at - 1]!.below.push(path[at]!);
        path[at]!.above.push(path[at - 1]!);
      }
      paths.push({ from, to: id, cells: path });
    }
  }
  order(rows);
  place(rows, sizes.nodeGap);
  const left = Math.min(0, ...rows.flat().map(({ x, width }) => x - width / 2));
  const right = Math.max(0, ...rows.flat().map(({ x, width }) => x + width / 2));
  const top = (row: number): number => row * (sizes.nodeHeight + sizes.rowGap);
  const nodes = new Map([...cells].map(([id, cell]) => [id, { x: cell.x - left, y: top(rowOf.get(id)!) }]));
  const edges = paths.map(({ from, to, cells: path }) => {
    const start = rowOf.get(from)!;
    const points = path.flatMap((cell, at): (readonly [number, number])[] => {
      const x = cell.x - left;
      const y = top(start + at);
      if (at === 0) return [[x, y + sizes.nodeHeight]];
      return at === path.length - 1
        ? [[x, y]]
        : [
            [x, y],
            [x, y + sizes.nodeHeight],
          ];
    });
    return { from, to, points };
  });
  return { width: right - left, height: Math.max(0, top(rows.length) - sizes.rowGap), nodes, edges };
}

/** The row of each node: one below the lowest of what it depends on. Nodes come in an order in which that is known. */
function rowsByDepth(items: readonly GraphItem[]): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const { id, after } of items) {
    rows.set(id, Math.max(-1, ...after.map((other) => rows.get(other) ?? -1)) + 1);
  }
  return rows;
}

function newCell(id: string | null, width: number): Cell {
  return { id, width, x: 0, above: [], below: [] };
}

/** Orders each row by the places of its neighbours, down and up in turn, so that few edges cross. */
function order(rows: readonly Cell[][]): void {
  const places = new Map<Cell, number>();
  const note = (row: readonly Cell[]): void =>
    row.forEach((cell, at) => void places.set(cell, row.length === 1 ? 0.5 : at / (row.length - 1)));
  for (const row of rows) note(row);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : rows.toReversed()) {
      const wish = new Map(
        row.map((cell) => {
          const neighbours = down ? cell.above : cell.below;
          return [cell, neighbours.length === 0 ? places.get(cell)! : mean(neighbours.map((other) => places.get(other)!))];
        }),
      );
      row.sort((left, right) => wish.get(left)! - wish.get(right)!);
      note(row);
    }
  }
}

/** Gives each cell a place near the middle of its neighbours, in the order of its row and without overlap. */
function place(rows: readonly Cell[][], gap: number): void {
  for (const row of rows)
    spread(
      row,
      row.map(() => 0),
      gap,
    );
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : rows.toReversed()) {
      const wishes = row.map((cell) => {
        const neighbours = [...cell.above, ...cell.below];
        return neighbours.length === 0 ? cell.x : mean(neighbours.map(({ x }) => x));
      });
      spread(row, wishes, gap);
    }
  }
}

/** Puts the cells of a row as near to their wishes as their widths allow: those that would overlap move together as one block. */
function spread(row: readonly Cell[], wishes: readonly number[], gap: number): void {
  interface Block {
    readonly cells: Cell[];
    readonly offsets: number[];
    width: number;
    wish: number;
  }
  const blocks: Block[] = [];
  for (const [at, cell] of row.entries()) {
    let block: Block = { cells: [cell], offsets: [cell.width / 2], width: cell.width, wish: wishes[at]! - cell.width / 2 };
    for (let before = blocks.at(-1); before !== undefined && before.wish + before.width + gap > block.wish; before = blocks.at(-1)) {
      blocks.pop();
      const shift = before.width + gap;
      const [countBefore, count] = [before.cells.length, block.cells.length];
      block = {
        cells: [...before.cells, ...block.cells],
        offsets: [...before.offsets, ...block.offsets.map((offset) => offset + shift)],
        width: shift + block.width,
        wish: (before.wish * countBefore + (block.wish - shift) * count) / (countBefore + count),
      };
    }
    blocks.push(block);
  }
  for (const { cells, offsets, wish } of blocks) for (const [at, cell] of cells.entries()) cell.x = wish + offsets[at]!;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
