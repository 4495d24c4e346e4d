import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GraphItem, layOut } from '../../../src/report/html/layered-graph.ts';

const sizes = { nodeHeight: 40, rowGap: 30, nodeGap: 10 };
const item = (id: string, ...after: string[]): GraphItem => ({ id, width: 100, after });

test('a chain stands in one column, from top to bottom', () => {
  const { nodes, width, height, edges } = layOut([item('a'), item('b', 'a'), item('c', 'b')], sizes);
  expect([width, height]).toEqual([100, 180]);
  expect([...nodes.values()]).toEqual([0, 70, 140].map((y) => ({ x: 50, y })));
  expect(edges[0]).toEqual({
    from: 'a',
    to: 'b',
    points: [
      [50, 40],
      [50, 70],
    ],
  });
});

test('an edge over a row goes beside the node that stands there', () => {
  const { nodes, edges } = layOut([item('a'), item('b', 'a'), item('c', 'a', 'b')], sizes);
  const long = edges.find(({ from, to }) => from === 'a' && to === 'c')!;
  const lane = long.points[2]!;
  expect(Math.abs(lane[0] - nodes.get('b')!.x)).toBeGreaterThan(50);
});

test('a graph of nothing has no size', () => {
  expect(layOut([], sizes)).toEqual({ width: 0, height: 0, nodes: new Map(), edges: [] });
});

test('no two nodes of any graph overlap, and every edge leads down', () => {
  const graphs = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { maxLength: 40 });
  fc.assert(
    fc.property(graphs, (given) => {
      const items = given.map((after, at) => item(String(at), ...after.filter((other) => other < at).map(String)));
      const { nodes, edges, width } = layOut(items, sizes);
      const places = [...nodes.values()];
      for (const [at, one] of places.entries()) {
        expect(one.x - 50).toBeGreaterThanOrEqual(-1e-6);
        expect(one.x + 50).toBeLessThanOrEqual(width + 1e-6);
        for (const other of places.slice(at + 1)) expect(one.y !== other.y || Math.abs(one.x - other.x) >= 100).toBe(true);
      }
      for (const { points } of edges) for (let at = 1; at < points.length; at++) expect(points[at]![1]).toBeGreaterThan(points[at - 1]![1]);
    }),
    { numRuns: 100 },
  );
});
