import { readFile } from 'node:fs/promises';
import { digestOf, sha256 } from '../contracts/digest.ts';
import { holdsSecret } from '../contracts/masking.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { FingerprintParts } from '../contracts/run.ts';
import type { PortName, PortSource } from '../ports/ports.ts';
import type { CodeHasher } from './code-hash.ts';
import { type AnyStep, stepContractVersion } from './define.ts';
import type { Graph, GraphNode } from './graph.ts';
import { type ResolvedParams, type StepParams, drivenSteps } from './params.ts';

/** What a step's result depends on as far as it is known before anything runs. */
export interface StaticParts {
  readonly step: AnyStep;
  readonly code: string;
  readonly params: unknown;
  readonly files: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | null>>;
}

/** A step that is ready to be keyed as soon as its inputs are known. */
export interface PreparedNode {
  readonly node: GraphNode;
  readonly params: StepParams;
  readonly own: StaticParts;
  /** The map steps that it drives itself, by their key. */
  readonly driven: Readonly<Record<string, StaticParts>>;
}

/** Hashes the code and files of every step; all that stands in the way of keys comes at once. */
export async function prepareNodes(
  graph: Graph,
  params: ResolvedParams,
  hasher: CodeHasher,
): Promise<Result<ReadonlyMap<string, PreparedNode>, Problem[]>> {
  const defined = graph.nodes.flatMap((node) => [node.step, ...Object.values(drivenSteps(node)), ...node.checks.map(({ check }) => check)]);
  await hasher.prime(defined.map(({ place }) => place.file));
  const problems = new Map<string, Problem>();
  const prepared = new Map<string, PreparedNode>();
  const partsOf = async (step: AnyStep, given: unknown): Promise<StaticParts> => {
    const code = await hasher.hash(step.place.file);
    if (!code.ok) problems.set(code.error.message, code.error);
    const files: Record<string, string> = {};
    for (const path of step.files?.(given as never) ?? []) {
      const digest = await fileDigest(path, step.name);
      if (digest.ok) files[path] = digest.value;
      else problems.set(digest.error.message, digest.error);
    }
    const environment = Object.fromEntries(step.environment.map((name) => [name, environmentPart(process.env[name])]));
    return { step, code: code.ok ? code.value : '', params: given, files, environment };
  };
  for (const node of graph.nodes) {
    const own = params.get(node.address)!;
    const driven: Record<string, StaticParts> = {};
    for (const [key, step] of Object.entries(drivenSteps(node))) driven[key] = await partsOf(step, own.rows[key]);
    prepared.set(node.address, { node, params: own, own: await partsOf(node.step, own.params), driven });
  }
  return problems.size > 0 ? { ok: false, error: [...problems.values()] } : { ok: true, value: prepared };
}

/** What the key says of an environment variable: its value, unless that is a secret; then only that there is one. */
function environmentPart(value: string | undefined): string | null {
  if (value === undefined) return null;
  return holdsSecret(value) ? 'a secret' : value;
}

/** Everything that the step's result depends on, given its inputs' digests and the state that it observed. */
export async function fingerprint(
  prepared: PreparedNode,
  inputs: Readonly<Record<string, string>>,
  observed: string | null,
  ports: PortSource,
): Promise<FingerprintParts> {
  const extra: Record<string, string> = {};
  for (const [key, parts] of Object.entries(await drivenParts(prepared, ports))) extra[`rows ${key}`] = keyOf(parts);
  if (prepared.own.step.kind === 'job') extra['job'] = await (await ports.open('jobLauncher')).identity(prepared.own.step.job);
  return partsWith(prepared.own, inputs, extra, observed, ports);
}

/** What the map steps that a step drives depend on beside the row, by their key. */
export async function drivenParts({ driven }: PreparedNode, ports: PortSource): Promise<Readonly<Record<string, FingerprintParts>>> {
  const parts: Record<string, FingerprintParts> = {};
  for (const [key, own] of Object.entries(driven)) parts[key] = await partsWith(own, {}, {}, null, ports);
  return parts;
}

/** Names a map step with its code, params and ports: what a row's results depend on beside the row. */
export async function mapIdentity(parts: StaticParts, ports: PortSource): Promise<string> {
  return keyOf(await partsWith(parts, {}, {}, null, ports));
}

/** The key of a result: the digest of everything that it depends on. */
export function keyOf(parts: FingerprintParts): string {
  return digestOf(parts);
}

async function partsWith(
  own: StaticParts,
  inputs: Readonly<Record<string, string>>,
  extra: Readonly<Record<string, string>>,
  observed: string | null,
  ports: PortSource,
): Promise<FingerprintParts> {
  const { step, code, params, files, environment } = own;
  return {
    contract: stepContractVersion,
    step: step.name,
    version: step.version,
    code,
    params: params as FingerprintParts['params'],
    inputs,
    ports: step.needs.length === 0 ? {} : await identities(step.needs, ports),
    files,
    environment,
    extra,
    observed,
  };
}

async function identities(names: readonly PortName[], ports: PortSource): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const identity = await ports.identity(name);
    if (identity !== null) found[name] = identity;
  }
  return found;
}

async function fileDigest(path: string, step: string): Promise<Result<string>> {
  try {
    return { ok: true, value: sha256(await readFile(path)) };
  } catch (error) {
    const message = `Step ${step} needs the file ${path}, which cannot be read`;
    const found = error instanceof Error ? error.message : String(error);
    const hint = `Make it, or name another file in the parameters of ${step}; relative to where twin is started`;
    return { ok: false, error: { reason: 'file-unreadable', message, where: path, found, hint, exit: 2 } };
  }
}
