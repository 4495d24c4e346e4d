import { z } from 'zod';
import { nearName } from '../contracts/near-name.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { RowStepRecord } from './define.ts';
import type { Graph, GraphNode } from './graph.ts';

/** A value that configuration or a flag gives to a parameter, and where it does so (`file:line`, `--set`, an environment variable). */
export interface ParamOverride {
  readonly value: unknown;
  readonly origin: string;
  /** As it was written, where it came as text: what looks like a number is text where a step wants text. */
  readonly text?: string;
}

/** Overrides by dotted address: `<step>.<param>`, nested `<step>.lora.rank`, of a driven map step `<step>.<map step>.<param>`. */
export type ParamOverrides = Readonly<Record<string, ParamOverride>>;

/** The parameters of a step, and of the map steps that it drives by their key in `rows`. */
export interface StepParams {
  readonly params: unknown;
  readonly rows: Readonly<Record<string, unknown>>;
}

/** Parameters by the address of the step, defaults filled in. */
export type ResolvedParams = ReadonlyMap<string, StepParams>;

/** One schema under one address, with the values that wiring and overrides give it. */
interface Target {
  readonly address: string;
  readonly schema: z.ZodType;
  readonly place: string;
  readonly raw: Record<string, unknown>;
  readonly origins: Map<string, string>;
  /** By path: what was written where a value came as text. */
  readonly texts: Map<string, string>;
}

/** Resolves the parameters of all steps: the wiring's values, overridden, checked strictly. All mistakes come at once. */
export function resolveParams(graph: Graph, overrides: ParamOverrides): Result<ResolvedParams, Problem[]> {
  const targets = new Map<string, Target>();
  for (const node of graph.nodes) for (const target of targetsOf(node)) targets.set(target.address, target);

  const problems: Problem[] = [];
  const rounds = Map.groupBy(targets.values(), ({ address }) => address.replaceAll(/#\d+/g, ''));
  // What is said of all rounds of a loop comes first, so that one round can be told otherwise.
  for (const [address, override] of Object.entries(overrides).toSorted(([a], [b]) => Number(a.includes('#')) - Number(b.includes('#')))) {
    const found = targetsFor(address, targets, rounds);
    for (const { target, path } of found) place(target, path, override);
    if (found.length === 0) problems.push(unknownAddress(address, override, targets));
  }

  const parsed = new Map<string, unknown>();
  for (const target of targets.values()) {
    // Compiling a schema pays only where it is used many times.
    const first = target.schema.safeParse(target.raw, { jitless: true });
    const result = first.success || !takeTexts(target, first.error.issues) ? first : target.schema.safeParse(target.raw, { jitless: true });
    if (result.success) parsed.set(target.address, result.data);
    else problems.push(...result.error.issues.flatMap((issue) => issueProblems(issue, target, targets)));
  }
  if (problems.length > 0) return { ok: false, error: problems };
  return { ok: true, value: new Map(graph.nodes.map((node) => [node.address, paramsOf(node, parsed)])) };
}

/** Where params were given that are not defaults, by `<step>.<param>`: configuration and flags above the wiring. */
export function originsOf(graph: Graph, overrides: ParamOverrides): Readonly<Record<string, string>> {
  const origins: Record<string, string> = {};
  for (const { address, params, place } of graph.nodes) for (const name of Object.keys(params)) origins[`${address}.${name}`] = place;
  for (const [address, { origin }] of Object.entries(overrides)) origins[address] = origin;
  return origins;
}

/** The map steps that a step drives itself, by their key. */
export function drivenSteps(node: GraphNode): RowStepRecord {
  return node.step.kind === 'step' ? node.step.rows : {};
}

function paramsOf(node: GraphNode, parsed: ReadonlyMap<string, unknown>): StepParams {
  const rows: Record<string, unknown> = {};
  for (const [key, step] of Object.entries(drivenSteps(node))) rows[key] = parsed.get(`${node.address}.${step.name}`);
  return { params: parsed.get(node.address), rows };
}

function targetsOf(node: GraphNode): Target[] {
  const own = structuredClone(node.params) as Record<string, unknown>;
  const driven = Object.values(drivenSteps(node)).map((step): Target => {
    const raw = (own[step.name] ?? {}) as Record<string, unknown>;
    delete own[step.name];
    return { address: `${node.address}.${step.name}`, schema: step.params, place: node.place, raw, origins: new Map(), texts: new Map() };
  });
  return [
    { address: node.address, schema: node.step.params, place: node.place, raw: own, origins: new Map(), texts: new Map() },
    ...driven,
  ];
}

/** The target with the longest address that begins the given one; those of all rounds where no round is named. */
function targetsFor(
  address: string,
  targets: ReadonlyMap<string, Target>,
  rounds: ReadonlyMap<string, readonly Target[]>,
): readonly { readonly target: Target; readonly path: readonly string[] }[] {
  for (let dot = address.lastIndexOf('.'); dot > 0; dot = address.lastIndexOf('.', dot - 1)) {
    const target = targets.get(address.slice(0, dot));
    const found = target ? [target] : (rounds.get(address.slice(0, dot)) ?? []);
    if (found.length > 0) return found.map((each) => ({ target: each, path: address.slice(dot + 1).split('.') }));
  }
  return [];
}

function place(target: Target, path: readonly string[], override: ParamOverride): void {
  let at = target.raw;
  for (const name of path.slice(0, -1)) {
    const inner = at[name];
    at = at[name] = typeof inner === 'object' && inner !== null && !Array.isArray(inner) ? { ...inner } : {};
  }
  at[path.at(-1)!] = override.value;
  target.origins.set(path.join('.'), override.origin);
  if (override.text !== undefined) target.texts.set(path.join('.'), override.text);
}

/** Takes values as they were written where the step wants text; whether there were any. */
function takeTexts(target: Target, issues: readonly z.core.$ZodIssue[]): boolean {
  let taken = false;
  for (const issue of issues) {
    const path = issue.path.map(String);
    const text = target.texts.get(path.join('.'));
    const wantsText =
      (issue.code === 'invalid_type' && issue.expected === 'string') || (issue.code === 'invalid_value' && issue.values.includes(text));
    if (text === undefined || !wantsText) continue;
    const owner = valueAt(target.raw, path.slice(0, -1)) as Record<string, unknown>;
    owner[path.at(-1)!] = text;
    taken = true;
  }
  return taken;
}

function unknownAddress(address: string, override: ParamOverride, targets: ReadonlyMap<string, Target>): Problem {
  const isStep = targets.has(address);
  const near = isStep ? null : nearAddress(address, targets);
  return {
    reason: 'unknown-address',
    message: isStep ? `${address} is a step, not a parameter` : `No step of this pipeline has a parameter ${address}`,
    where: override.origin,
    expected: '<step>.<parameter>',
    found: address,
    hint: near ? `Did you mean ${near}?` : 'twin config show lists every address',
    exit: 2,
  };
}

/** The address with its step replaced by the nearest known one. */
function nearAddress(address: string, targets: ReadonlyMap<string, Target>): string | null {
  const parts = address.split('.');
  for (let length = parts.length - 1; length >= 1; length--) {
    const near = nearName(parts.slice(0, length).join('.'), targets.keys());
    if (near) return [near, ...parts.slice(length)].join('.');
  }
  return null;
}

function issueProblems(issue: z.core.$ZodIssue, target: Target, targets: ReadonlyMap<string, Target>): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(target.schema, path);
    return issue.keys.map((key) => {
      const near = path.length === 0 ? (ofDriven(key, target, targets) ?? nearName(key, known)) : nearName(key, known);
      return {
        reason: 'unknown-parameter',
        message: `${dotted(target.address, path)} has no parameter ${key}`,
        where: originOf(target, [...path, key]),
        expected: known.join(', ') || 'no parameters',
        found: key,
        ...(near && { hint: `Did you mean ${dotted(target.address, [...path, near])}?` }),
        exit: 2,
      };
    });
  }
  return [
    {
      reason: 'invalid-parameter',
      message: `${dotted(target.address, path)} is not what the step takes`,
      where: originOf(target, path),
      expected: expectation(issue),
      found: shown(valueAt(target.raw, path)),
      ...spelling(issue, target, path),
      exit: 2,
    },
  ];
}

/** The parameter of that name of a step that this one drives, as seen from this one. */
function ofDriven(key: string, target: Target, targets: ReadonlyMap<string, Target>): string | null {
  for (const { address, schema } of targets.values())
    if (address.startsWith(`${target.address}.`) && knownKeys(schema, []).includes(key))
      return `${address.slice(target.address.length + 1)}.${key}`;
  return null;
}

/** How lists and maps are written as one text. */
function spelling(issue: z.core.$ZodIssue, target: Target, path: readonly string[]): { readonly hint?: string } {
  if (issue.code !== 'invalid_type' || !target.texts.has(path.join('.'))) return {};
  const example =
    issue.expected === 'array' ? '[one, two]' : issue.expected === 'object' || issue.expected === 'record' ? '{key: value}' : null;
  return example === null ? {} : { hint: `Write it so: '${dotted(target.address, path)}=${example}'` };
}

function dotted(address: string, path: readonly string[]): string {
  return [address, ...path].join('.');
}

/** Where the value at a path was given: the override of it, of what holds it or of something within it; else the wiring. */
function originOf(target: Target, path: readonly string[]): string {
  for (let length = path.length; length > 0; length--) {
    const origin = target.origins.get(path.slice(0, length).join('.'));
    if (origin !== undefined) return origin;
  }
  const prefix = path.length === 0 ? '' : `${path.join('.')}.`;
  for (const [given, origin] of target.origins) if (given.startsWith(prefix)) return origin;
  return target.place;
}

/** Types of values as a sentence names them. */
const typeWords: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a map',
  record: 'a map',
  string: 'text',
};

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeWords[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'text that is not empty';
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${String(issue.minimum)}${sizeUnit(issue.origin)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${String(issue.maximum)}${sizeUnit(issue.origin)}`;
    default:
      return issue.message;
  }
}

function sizeUnit(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' || origin === 'set' ? ' items' : '';
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value);
}

function knownKeys(schema: z.ZodType, path: readonly string[]): string[] {
  const properties = (at: unknown): Record<string, unknown> =>
    (at as { properties?: Record<string, unknown> } | undefined)?.properties ?? {};
  const described: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.keys(properties(path.reduce((at, name) => properties(at)[name], described)));
}
