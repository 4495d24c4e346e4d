import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import { type Handle, type PipelineBuilder, definePipeline, defineStep } from '../../src/engine/define.ts';
import { buildGraph } from '../../src/engine/graph.ts';
import { engineRig } from '../support/engine-rig.ts';

const number = json('number', z.number());
const behaviours = ['works', 'works', 'works', 'fails', 'skips', 'refuses'] as const;
const decision = json('decision', z.strictObject({ verdict: z.enum(['pass', 'refuse']), reasons: z.array(z.string()) }));

/** One step for each number of inputs. */
const adders = [0, 1, 2, 3].map((inputs) =>
  defineStep({
    name: `add-${inputs}`,
    version: 1,
    summary: 'Add',
    params: z.strictObject({ own: z.int(), fails: z.boolean(), refuses: z.boolean() }),
    inputs: Object.fromEntries(Array.from({ length: inputs }, (_, index) => [`in${index}`, number])) as Record<string, typeof number>,
    outputs: { number, decision: { ...decision, gate: true as const } },
    async run({ inputs, params, outputs }) {
      await new Promise(setImmediate);
      if (params.fails) throw new Error('as it was told');
      await outputs.number.write(Object.values(inputs).reduce((sum, value) => sum + value, params.own));
      await outputs.decision.write({ verdict: params.refuses ? 'refuse' : 'pass', reasons: params.refuses ? ['told so'] : [] });
    },
  }),
);

/** Nodes in any order; each reads from some of those before it. */
const graphs = fc.array(
  fc.record({
    behaviour: fc.constantFrom(...behaviours),
    from: fc.array(fc.nat(), { maxLength: 3 }),
    after: fc.option(fc.nat(), { nil: null }),
  }),
  { minLength: 1, maxLength: 25 },
);
type Node = { behaviour: (typeof behaviours)[number]; from: number[]; after: number | null };

function wireAll(nodes: readonly Node[]) {
  return (builder: PipelineBuilder): void => {
    const made: { number: Handle<typeof number> }[] = [];
    for (const [index, { behaviour, from, after }] of nodes.entries()) {
      const sources = index === 0 ? [] : from.map((at) => made[at % index]!);
      const inputs = Object.fromEntries(sources.map((source, at) => [`in${at}`, source.number]));
      made.push(
        builder.step(adders[sources.length]!, inputs, {
          as: `step-${index}`,
          params: { own: index, fails: behaviour === 'fails', refuses: behaviour === 'refuses' },
          ...(behaviour === 'skips' && index > 0 && { when: [made[index - 1]!.number, () => false] }),
          ...(after !== null && index > 0 && { after: [made[after % index]!.number] }),
        }),
      );
    }
  };
}

/** Steps that began although something that they read was not made, or something that comes first had not ended well. */
function startedTooEarly(build: (builder: PipelineBuilder) => void, events: readonly RunEvent[]): string[] {
  const graph = buildGraph(definePipeline({ name: 'test', summary: 'Test', build }));
  if (!graph.ok) throw new Error('the graph is sound');
  const ended = new Map<string, string>();
  const made = (step: string): boolean => ended.get(step) === 'succeeded' || ended.get(step) === 'cached';
  const early: string[] = [];
  for (const event of events) {
    if (event.type === 'step-finished') ended.set(event.step, [event.outcome, event.reason ?? []].flat().join(' '));
    if (event.type !== 'step-started') continue;
    const { inputs, after } = graph.value.byAddress.get(event.step)!;
    const readable = Object.values(inputs).every((wire) => made(wire.step));
    if (!readable || !after.every((step) => made(step) || ended.get(step) === 'skipped condition')) early.push(event.step);
  }
  return early;
}

test('whatever the graph, each step ends once, the five counts sum to the plan, and nothing runs before what it waits for', async () => {
  await fc.assert(
    fc.asyncProperty(graphs, fc.boolean(), fc.integer({ min: 1, max: 4 }), async (nodes, keepGoing, concurrency) => {
      const rig = await engineRig();
      const build = wireAll(nodes);
      const { end, events, outcomes } = await rig.run(build, { keepGoing, concurrency });
      expect(events.filter((event) => event.type === 'step-finished')).toHaveLength(nodes.length);
      expect(Object.keys(outcomes)).toHaveLength(nodes.length);
      expect(Object.values(end.steps).reduce((sum, count) => sum + count, 0)).toBe(nodes.length);

      expect(startedTooEarly(build, events)).toEqual([]);
      expect(end.status === 'succeeded').toBe(end.steps.failed === 0 && end.steps.cancelled === 0 && end.reason === null);

      const again = await rig.run(build, { keepGoing, concurrency });
      expect(Object.values(again.end.steps).reduce((sum, count) => sum + count, 0)).toBe(nodes.length);
      const made = Object.keys(outcomes).filter((step) => outcomes[step] === 'succeeded' || outcomes[step] === 'cached');
      expect(made.filter((step) => again.outcomes[step] === 'succeeded')).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

test('a chain of a thousand steps works, and the next run makes none of them', async () => {
  const rig = await engineRig();
  const chain = wireAll(
    Array.from({ length: 1000 }, (_, index) => ({ behaviour: 'works', from: index === 0 ? [] : [index - 1], after: null })),
  );
  const first = await rig.run(chain);
  expect(first.end.steps).toEqual({ succeeded: 1000, cached: 0, failed: 0, skipped: 0, cancelled: 0 });
  const last = first.finished('step-999').artifacts['number'];
  expect(last?.kind === 'json' && last.inline).toBe((999 * 1000) / 2);
  expect((await rig.run(chain)).end.steps).toEqual({ succeeded: 0, cached: 1000, failed: 0, skipped: 0, cancelled: 0 });
});
