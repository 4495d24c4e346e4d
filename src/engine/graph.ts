import { z } from 'zod';
import type { AnyArtifact } from '../contracts/artifact.ts';
import { digestOf } from '../contracts/digest.ts';
import { nearName } from '../contracts/near-name.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { PlannedStep } from '../contracts/run.ts';
import type { Check } from './checks.ts';
import type { AnyPipeline, AnyStep, ConditionOutcome, Handle } from './define.ts';
import { type WiredStep, handlesOf, wire } from './graph-builder.ts';
import { inputsOf, kindOf, outputsOf, placeText } from './step-shape.ts';

/** An output of a step in the graph. */
export interface Wire {
  readonly step: string;
  readonly output: string;
}

/** A step in the graph: checked, so that nothing after this looks for mistakes of wiring. */
export interface GraphNode {
  readonly address: string;
  readonly step: AnyStep;
  readonly kind: PlannedStep['kind'];
  readonly inputs: Readonly<Record<string, Wire>>;
  readonly params: Readonly<Record<string, unknown>>;
  readonly when: { readonly wire: Wire; readonly predicate: (value: unknown) => ConditionOutcome } | null;
  /** Names that pick it beside its address: of its wiring, its kind and its pool. */
  readonly tags: readonly string[];
  /** Addresses of steps that come first although nothing of theirs is read. */
  readonly after: readonly string[];
  /** Addresses of all steps that this one waits for, once each. */
  readonly dependencies: readonly string[];
  /** `file:line` of the wiring. */
  readonly place: string;
  /** How long it has where it cleans up behind all others; null where it is one of those. */
  readonly cleanupMs: number | null;
  /** What its outputs are checked for. */
  readonly checks: readonly { readonly output: string; readonly check: Check }[];
}

/** A pipeline as a graph, its steps in an order in which each follows what it waits for. */
export interface Graph {
  readonly pipeline: string;
  readonly nodes: readonly GraphNode[];
  readonly byAddress: ReadonlyMap<string, GraphNode>;
}

/** Builds a pipeline and checks its wiring: a graph without mistakes, or all the mistakes at once. */
export function buildGraph(pipeline: AnyPipeline): Result<Graph, Problem[]> {
  const { steps, problems: found } = wire(pipeline);
  const problems = [...found];
  const wired = new Map<string, WiredStep>();
  for (const step of steps) {
    const earlier = wired.get(step.address);
    if (earlier) problems.push(duplicate(step, earlier));
    else wired.set(step.address, step);
  }
  for (const step of steps) problems.push(...wiringProblems(step, wired));
  if (problems.length > 0) return { ok: false, error: problems };

  const ordered = inOrder(steps, wired);
  if (!ordered.ok) return { ok: false, error: [ordered.error] };
  const nodes = cleanupLast(ordered.value.map(nodeOf));
  return { ok: true, value: { pipeline: pipeline.name, nodes, byAddress: new Map(nodes.map((node) => [node.address, node])) } };
}

/** A node as plans and journals describe it. */
export function plannedStep(node: GraphNode): PlannedStep {
  const inputs: Record<string, string> = {};
  for (const [name, { step, output }] of Object.entries(node.inputs)) inputs[name] = `${step}.${output}`;
  for (const [index, address] of node.after.entries()) inputs[`after:${index + 1}`] = address;
  return { address: node.address, step: node.step.name, kind: node.kind, summary: node.step.summary, inputs, place: node.place };
}

function nodeOf(wired: WiredStep): GraphNode {
  const inputs = Object.fromEntries(
    Object.entries(wired.inputs).map(([name, handle]) => [name, { step: handle!.step, output: handle!.output }]),
  );
  const when = wired.when && { wire: { step: wired.when[0].step, output: wired.when[0].output }, predicate: wired.when[1] };
  return {
    address: wired.address,
    step: wired.step,
    kind: kindOf(wired.step),
    tags: [...wired.tags, kindOf(wired.step), ...(wired.step.pool === undefined ? [] : [wired.step.pool])],
    inputs,
    params: wired.params,
    when: when ?? null,
    after: wired.after.map((handle) => handle!.step),
    dependencies: [...new Set(handlesOf(wired).map((handle) => handle!.step))],
    place: placeText(wired.place),
    checks: wired.checks,
    cleanupMs: wired.cleanup?.withinMs ?? null,
  };
}

/** Steps that clean up wait for all that do not. */
function cleanupLast(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const cleaning = nodes.filter((node) => node.cleanupMs !== null);
  if (cleaning.length === 0) return nodes;
  const others = nodes.filter((node) => node.cleanupMs === null);
  const all = others.map(({ address }) => address);
  return [...others, ...cleaning.map((node) => Object.assign(node, { dependencies: [...new Set([...all, ...node.dependencies])] }))];
}

function duplicate(step: WiredStep, earlier: WiredStep): Problem {
  return {
    reason: 'duplicate-address',
    message: `Two steps have the address ${step.address}`,
    where: placeText(step.place),
    found: `first wired at ${placeText(earlier.place)}`,
    hint: "Give one of them another name: { as: 'name' }",
    exit: 2,
  };
}

function wiringProblems(wired: WiredStep, steps: ReadonlyMap<string, WiredStep>): Problem[] {
  const problems: Problem[] = [];
  const where = placeText(wired.place);
  const expectedInputs = inputsOf(wired.step);
  for (const [name, artifact] of Object.entries(expectedInputs)) {
    problems.push(...handleProblems(wired, `input ${name}`, wired.inputs[name], steps, artifact));
  }
  for (const name of Object.keys(wired.inputs)) {
    if (name in expectedInputs) continue;
    const near = nearName(name, Object.keys(expectedInputs));
    problems.push({
      reason: 'unknown-input',
      message: `Step ${wired.address} has no input ${name}`,
      where,
      expected: Object.keys(expectedInputs).join(', ') || 'no inputs',
      found: name,
      ...(near && { hint: `Did you mean ${near}?` }),
      exit: 2,
    });
  }
  if (wired.when) {
    problems.push(...handleProblems(wired, 'condition', wired.when[0], steps, null));
    if (wired.when[0]?.artifact?.kind !== 'json') {
      problems.push({
        reason: 'condition-not-json',
        message: `The condition of step ${wired.address} can only look at a JSON artifact`,
        where,
        expected: 'json',
        found: wired.when[0]?.artifact?.kind ?? 'nothing',
        exit: 2,
      });
    }
  }
  const cleaned = handlesOf(wired).find((handle) => handle && steps.get(handle.step)?.cleanup);
  if (cleaned && !wired.cleanup) {
    problems.push({
      reason: 'cleanup-read',
      message: `Step ${wired.address} waits for ${cleaned.step}, which cleans up when all others have ended`,
      where,
      hint: 'Have only other steps that clean up wait for it',
      exit: 2,
    });
  }
  for (const handle of wired.after) problems.push(...handleProblems(wired, 'after', handle, steps, null));
  return problems;
}

function handleProblems(
  wired: WiredStep,
  role: string,
  handle: Handle | undefined,
  steps: ReadonlyMap<string, WiredStep>,
  expected: AnyArtifact | null,
): Problem[] {
  const where = placeText(wired.place);
  if (!handle) {
    const message = `Step ${wired.address} is not given its ${role}`;
    return [
      {
        reason: 'missing-input',
        message,
        where,
        ...(expected && { expected: `${expected.kind} ${expected.name}` }),
        found: 'nothing',
        exit: 2,
      },
    ];
  }
  const producer = steps.get(handle.step);
  const actual = producer && outputsOf(producer.step)[handle.output];
  if (!actual) {
    const near = nearName(handle.step, steps.keys());
    return [
      {
        reason: 'unknown-handle',
        message: `The ${role} of step ${wired.address} is wired to ${handle.step}.${handle.output}, which this pipeline does not hold`,
        where,
        hint:
          near && near !== handle.step
            ? `Did you mean ${near}?`
            : 'Wire only handles that pipeline.step or pipeline.use returned in this build',
        exit: 2,
      },
    ];
  }
  if (!expected) return [];
  const difference = artifactDifference(expected, actual);
  if (!difference) return [];
  return [
    {
      reason: difference,
      message: `The ${role} of step ${wired.address} does not fit ${handle.step}.${handle.output}${difference === 'schema-mismatch' ? `: both are called ${actual.name}, but their schemas differ` : ''}`,
      where,
      expected: describe(expected, difference),
      found: describe(actual, difference),
      hint: difference === 'schema-mismatch' ? 'Use one schema on both sides' : `Wire an output that is ${expected.kind} ${expected.name}`,
      exit: 2,
    },
  ];
}

function artifactDifference(expected: AnyArtifact, actual: AnyArtifact): 'artifact-mismatch' | 'schema-mismatch' | null {
  if (expected.kind !== actual.kind || expected.name !== actual.name) return 'artifact-mismatch';
  if (expected.kind === 'folder' || actual.kind === 'folder' || expected.schema === actual.schema) return null;
  return schemaDigest(expected.schema) === schemaDigest(actual.schema) ? null : 'schema-mismatch';
}

function describe(artifact: AnyArtifact, difference: 'artifact-mismatch' | 'schema-mismatch'): string {
  const name = `${artifact.kind} ${artifact.name}`;
  return difference === 'schema-mismatch' && artifact.kind !== 'folder'
    ? `${name} ${JSON.stringify(z.toJSONSchema(artifact.schema, { unrepresentable: 'any' }))}`
    : name;
}

const schemaDigests = new WeakMap<z.ZodType, string>();

function schemaDigest(schema: z.ZodType): string {
  const known = schemaDigests.get(schema);
  if (known !== undefined) return known;
  const digest = digestOf(z.toJSONSchema(schema, { unrepresentable: 'any' }));
  schemaDigests.set(schema, digest);
  return digest;
}

/** Depth first from each step in the order of wiring, so that the order is the wiring's wherever that is possible. */
function inOrder(steps: readonly WiredStep[], byAddress: ReadonlyMap<string, WiredStep>): Result<WiredStep[]> {
  const ordered: WiredStep[] = [];
  const done = new Set<string>();
  /** Steps that are being visited, in the order in which they were met. */
  const path = new Set<string>();
  const visit = (step: WiredStep): Problem | null => {
    if (done.has(step.address)) return null;
    if (path.has(step.address)) {
      const addresses = [...path];
      return cycle(step, [...addresses.slice(addresses.indexOf(step.address)), step.address]);
    }
    path.add(step.address);
    for (const handle of handlesOf(step)) {
      const problem = visit(byAddress.get(handle!.step)!);
      if (problem) return problem;
    }
    path.delete(step.address);
    done.add(step.address);
    ordered.push(step);
    return null;
  };
  for (const step of steps) {
    const problem = visit(step);
    if (problem) return { ok: false, error: problem };
  }
  return { ok: true, value: ordered };
}

function cycle(step: WiredStep, path: readonly string[]): Problem {
  return {
    reason: 'cycle',
    message: `Step ${step.address} waits for itself`,
    where: placeText(step.place),
    found: path.join(' needs '),
    hint: 'Unroll the loop: give each round its own step',
    exit: 2,
  };
}
