import { nearName } from '../contracts/near-name.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { Graph } from './graph.ts';
import type { Results } from './results.ts';
import type { RunOptions } from './run-options.ts';

/** Addresses of the steps that a run shall do, and of those that it shall do whatever is known. */
export interface Slice {
  readonly steps: ReadonlySet<string>;
  readonly forced: ReadonlySet<string>;
}

/** Picks the steps of a run: all, or those from, up to or of given ones, which may also be the prefix of a used pipeline, or those of a tag. */
export function sliceOf(graph: Graph, { from, to, only = [], tags = [], force = [] }: RunOptions): Result<Slice, Problem[]> {
  const problems: Problem[] = [];
  const named = (flag: string, name: string): ReadonlySet<string> => {
    const found = graph.nodes.map((node) => node.address).filter((address) => address === name || address.startsWith(`${name}.`));
    if (found.length === 0) problems.push(unknownStep(flag, name, graph));
    return new Set(found);
  };
  const forced = new Set(force.flatMap((name) => [...named('--force', name)]));
  let steps: ReadonlySet<string> =
    only.length === 0 ? new Set(graph.byAddress.keys()) : new Set(only.flatMap((name) => [...named('--only', name)]));
  if (tags.length > 0) {
    const known = new Set(graph.nodes.flatMap((node) => node.tags));
    for (const tag of tags) if (!known.has(tag)) problems.push(unknownTag(tag, known, graph));
    const tagged = graph.nodes.filter((node) => tags.some((tag) => node.tags.includes(tag)));
    steps = steps.intersection(new Set(tagged.map((node) => node.address)));
  }
  if (from !== undefined) steps = steps.intersection(withDependants(graph, named('--from', from)));
  if (to !== undefined) steps = steps.intersection(withDependencies(graph, named('--to', to)));
  return problems.length > 0 ? { ok: false, error: problems } : { ok: true, value: { steps, forced } };
}

/** Results that the steps of a slice read from outside it and that no earlier run has left. */
export function missingForSlice(graph: Graph, { steps }: Slice, results: Pick<Results, 'latest'>): readonly Problem[] {
  const problems: Problem[] = [];
  if (steps.size === graph.nodes.length) return problems;
  for (const node of graph.nodes) {
    if (!steps.has(node.address)) continue;
    for (const [name, wire] of [...Object.entries(node.inputs), ...(node.when ? [['condition', node.when.wire] as const] : [])]) {
      if (steps.has(wire.step) || results.latest(wire.step)) continue;
      problems.push({
        reason: 'no-earlier-result',
        message: `Step ${node.address} reads ${wire.step}.${wire.output} as its ${name}, which this run leaves out and no earlier run has made`,
        where: node.address,
        hint: `Run it too: --from ${wire.step}`,
        exit: 2,
      });
    }
  }
  return problems;
}

function withDependants(graph: Graph, start: ReadonlySet<string>): ReadonlySet<string> {
  const reached = new Set(start);
  for (const node of graph.nodes) if (node.dependencies.some((address) => reached.has(address))) reached.add(node.address);
  return reached;
}

function withDependencies(graph: Graph, end: ReadonlySet<string>): ReadonlySet<string> {
  const reached = new Set(end);
  for (const node of graph.nodes.toReversed()) if (reached.has(node.address)) for (const address of node.dependencies) reached.add(address);
  return reached;
}

function unknownTag(tag: string, known: ReadonlySet<string>, graph: Graph): Problem {
  const near = nearName(tag, known);
  return {
    reason: 'unknown-tag',
    message: `No step of pipeline ${graph.pipeline} has the tag ${tag}`,
    where: '--tag',
    expected: [...known].toSorted().join(', '),
    found: tag,
    hint: near ? `Did you mean ${near}?` : 'A tag is the kind of a step, its pool, or what the pipeline gives it with { tags }',
    exit: 2,
  };
}

function unknownStep(flag: string, name: string, graph: Graph): Problem {
  const near = nearName(name, graph.byAddress.keys());
  return {
    reason: 'unknown-step',
    message: `Pipeline ${graph.pipeline} has no step ${name}`,
    where: flag,
    found: name,
    hint: near ? `Did you mean ${near}?` : `twin plan ${graph.pipeline} lists its steps`,
    exit: 2,
  };
}
