import { definePipeline } from '../../src/engine/define.ts';
import { buildGraph } from '../../src/engine/graph.ts';
import { resolveParams } from '../../src/engine/params.ts';
import { first, next } from '../chain-steps.ts';
import { runEmbedded } from './embedded.ts';
import { map } from './pipelines.ts';

// Started with --expose-gc: `steps <count>` prints the bytes that a planned step holds, `rows <count>` the megabytes that the process held at most.
const [what, text] = process.argv.slice(2);
const count = Number(text);
const collect = (globalThis as unknown as { gc(): void }).gc;
if (what === 'steps') {
  const pipeline = definePipeline({
    name: 'chain',
    summary: 'A chain of no-op steps',
    build(builder) {
      let last = builder.step(first, {});
      for (let link = 1; link < count; link += 1) last = builder.step(next, { at: last.at }, { as: `next-${link}` });
    },
  });
  collect();
  const before = process.memoryUsage().heapUsed;
  const graph = buildGraph(pipeline);
  const params = graph.ok ? resolveParams(graph.value, {}) : graph;
  collect();
  const after = process.memoryUsage().heapUsed;
  if (!graph.ok || !params.ok || !('size' in params.value)) throw new Error('The chain is sound');
  console.log((after - before) / count);
} else {
  await runEmbedded(map(count, 100));
  console.log(process.resourceUsage().maxRSS / 1024);
}
