import type { ArtifactReference } from '../contracts/artifact.ts';
import type { MissReason, PlanRows, PredictedStep, Prediction, RunPlan } from '../contracts/plan.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { FingerprintParts, StepResult } from '../contracts/run.ts';
import { type StepPace, paces } from '../history/paces.ts';
import { changesBetween, nearestChange } from '../history/why.ts';
import type { PortSource } from '../ports/ports.ts';
import { type CodeHasher, codeHasher } from './code-hash.ts';
import { readEffect } from './effect-record.ts';
import { estimateRun, expectedMs, rowsToDo } from './estimate.ts';
import { problemOf } from './failure.ts';
import { type PreparedNode, fingerprint, keyOf, prepareNodes } from './fingerprint.ts';
import { refusalOf } from './gate.ts';
import { type Graph, type GraphNode, plannedStep } from './graph.ts';
import { readJson } from './inputs.ts';
import { observe, observes } from './observe.ts';
import type { ResolvedParams } from './params.ts';
import { type Results, openResults } from './results.ts';
import type { Stores } from './run-context.ts';
import type { RunOptions } from './run-options.ts';
import { schedule } from './schedule.ts';
import { type Slice, missingForSlice, sliceOf } from './slice.ts';

/** A step that does not say what it sees within this time is planned as unobserved. */
const observeLimitMs = 2_000;

/** What to plan. */
export interface PlanRequest {
  readonly graph: Graph;
  readonly params: ResolvedParams;
  readonly stores: Stores;
  readonly ports: PortSource;
  readonly options?: RunOptions;
  /** Asks no step what it observes. */
  readonly offline?: boolean;
  readonly hasher?: CodeHasher;
  /** Hears what each step's key is made of; of a step whose inputs are not known yet, without them. */
  readonly onParts?: (prepared: PreparedNode, parts: FingerprintParts) => void;
}

/** A prediction, with what dependants would read where that is known. */
interface Foreseen {
  readonly prediction: Prediction;
  readonly artifacts: Readonly<Record<string, ArtifactReference>> | null;
  readonly refused: boolean;
}

interface Planning extends Omit<PlanRequest, 'options'> {
  readonly options: RunOptions;
  readonly prepared: ReadonlyMap<string, PreparedNode>;
  readonly results: Results;
  readonly slice: Slice;
  readonly foreseen: Map<string, Foreseen>;
}

/** Predicts what a run would do, step by step. Changes nothing but the cache of code hashes. */
export async function planRun(request: PlanRequest): Promise<Result<RunPlan, readonly Problem[]>> {
  const { graph, stores, options = {} } = request;
  const slice = sliceOf(graph, options);
  const prepared = await prepareNodes(graph, request.params, request.hasher ?? codeHasher(stores.cache));
  const results = await openResults(graph, stores.metadata, stores.artifacts);
  const lacking = slice.ok ? missingForSlice(graph, slice.value, results) : [];
  if (!slice.ok || !prepared.ok || lacking.length > 0) {
    return { ok: false, error: [...(slice.ok ? [] : slice.error), ...(prepared.ok ? [] : prepared.error), ...lacking] };
  }
  const planning: Planning = { ...request, options, prepared: prepared.value, results, slice: slice.value, foreseen: new Map() };
  await schedule(graph.nodes, async (node) => {
    const foreseen = await foresee(planning, node).catch((error: unknown) =>
      without({ kind: 'unobserved', message: problemOf(error, node.address).message }),
    );
    planning.foreseen.set(node.address, foreseen);
  });
  return { ok: true, value: await withEstimates(planning) };
}

/** The plan with the rows to be computed and the time that all of it takes; the past is only asked where something may run. */
async function withEstimates(planning: Planning): Promise<RunPlan> {
  const { graph, foreseen, options, stores } = planning;
  const open = [...foreseen.values()].some(({ prediction }) => !isSettled(prediction));
  const known = open ? await paces(stores.metadata, graph.pipeline) : new Map<string, StepPace>();
  const steps = new Map<string, PredictedStep>();
  for (const node of graph.nodes) {
    const { prediction } = foreseen.get(node.address)!;
    const pace = known.get(node.address);
    const rows = await rowsOf(planning, node, pace);
    steps.set(node.address, { ...plannedStep(node), prediction, rows, expectedMs: expectedMs(prediction, rows, pace) });
  }
  return { pipeline: graph.pipeline, steps: [...steps.values()], estimate: estimateRun(graph, steps, options.concurrency) };
}

async function rowsOf(
  { foreseen, prepared, stores, ports }: Planning,
  node: GraphNode,
  pace: StepPace | undefined,
): Promise<PlanRows | null> {
  const { prediction } = foreseen.get(node.address)!;
  if (node.kind !== 'map' || isSettled(prediction)) return null;
  if (prediction.kind === 'unknown') {
    // Its code or params changed, so no row can be taken from the cache.
    return prediction.changes.length > 0 && pace?.rows ? { redo: pace.rows, total: pace.rows } : null;
  }
  const wire = node.inputs['input']!;
  const input = foreseen.get(wire.step)?.artifacts?.[wire.output];
  if (prediction.kind === 'miss' && prediction.reason.kind === 'forced' && input?.kind === 'rows')
    return { redo: input.rows, total: input.rows };
  return input ? rowsToDo(prepared.get(node.address)!, input, stores, ports) : null;
}

async function foresee(planning: Planning, node: GraphNode): Promise<Foreseen> {
  const { slice, results, foreseen } = planning;
  if (!slice.steps.has(node.address)) {
    return { prediction: { kind: 'skip', reason: 'slice' }, artifacts: results.latest(node.address)?.artifacts ?? null, refused: false };
  }
  if (node.cleanupMs !== null) return without({ kind: 'miss', reason: { kind: 'forced' } });
  // `after` alone makes nothing unknown: such a step is only waited for.
  const read = [...new Set([...Object.values(node.inputs).map((wire) => wire.step), ...(node.when ? [node.when.wire.step] : [])])];
  for (const address of node.dependencies) {
    const { refused, prediction } = foreseen.get(address)!;
    if (refused || (prediction.kind === 'skip' && prediction.reason === 'gate-refused'))
      return without({ kind: 'skip', reason: 'gate-refused' });
  }
  for (const address of read) {
    const upstream = foreseen.get(address)!;
    if (upstream.artifacts) continue;
    if (upstream.prediction.kind === 'skip') return without(upstream.prediction);
    return unknown(planning, node, upstream.prediction.kind === 'unknown' ? upstream.prediction.until : address);
  }
  if (node.when) {
    const { wire, predicate } = node.when;
    const value = await readJson(foreseen.get(wire.step)!.artifacts![wire.output]!, planning.stores.artifacts);
    const condition = predicate(value);
    if (condition !== true) return without({ kind: 'skip', reason: condition === 'no-champion' ? 'no-champion' : 'condition' });
  }
  const inputs: Record<string, string> = {};
  for (const [name, wire] of Object.entries(node.inputs)) inputs[name] = foreseen.get(wire.step)!.artifacts![wire.output]!.digest;
  const prepared = planning.prepared.get(node.address)!;
  // What comes first may change the state that this step looks at, so what it would see now says nothing.
  const changing = observes(prepared) ? node.dependencies.find((address) => !isSettled(foreseen.get(address)!.prediction)) : undefined;
  if (changing !== undefined) return unknown(planning, node, changing);
  return node.kind === 'effect' ? foreseeEffect(planning, prepared, inputs) : foreseeResult(planning, prepared, inputs);
}

/** A step that waits for what another one will make: only its own part of the key can be compared. */
async function unknown(planning: Planning, node: GraphNode, until: string): Promise<Foreseen> {
  const prepared = planning.prepared.get(node.address)!;
  const parts = await fingerprint(prepared, {}, null, planning.ports);
  planning.onParts?.(prepared, parts);
  const latest = planning.results.latest(node.address);
  const changes = latest ? changesBetween({ ...latest.parts, inputs: {}, observed: null }, parts) : [];
  return without({ kind: 'unknown', until, changes, made: latest !== null });
}

async function foreseeResult(planning: Planning, prepared: PreparedNode, inputs: Readonly<Record<string, string>>): Promise<Foreseen> {
  const token = await tokenOf(planning, prepared, inputs);
  if (!token.ok) return without({ kind: 'unobserved', message: token.error });
  const parts = await fingerprint(prepared, inputs, token.value, planning.ports);
  planning.onParts?.(prepared, parts);
  const result = await planning.results.find(keyOf(parts));
  if (result && !planning.slice.forced.has(prepared.node.address)) return ofResult(planning, prepared, result);
  return without({ kind: 'miss', reason: await missReason(planning, prepared, parts) });
}

async function foreseeEffect(planning: Planning, prepared: PreparedNode, inputs: Readonly<Record<string, string>>): Promise<Foreseen> {
  const { stores, ports, slice, results } = planning;
  const parts = await fingerprint(prepared, inputs, null, ports);
  const key = keyOf(parts);
  planning.onParts?.(prepared, parts);
  const { record } = await readEffect(stores.metadata, prepared);
  const miss = (reason: MissReason): Foreseen => without({ kind: 'miss', reason });
  if (slice.forced.has(prepared.node.address)) return miss({ kind: 'forced' });
  if (!record) return miss({ kind: 'first-time' });
  if (record.state === 'intent' || record.token === null) return miss({ kind: 'interrupted', run: record.run });
  const result = (await results.find(key)) ?? record.result ?? null;
  if (record.key !== key || !result) return miss(await missReason(planning, prepared, parts));
  const token = await tokenOf(planning, prepared, inputs);
  if (!token.ok) return without({ kind: 'unobserved', message: token.error });
  if (token.value === record.token) return ofResult(planning, prepared, result);
  return miss({ kind: 'state-changed', before: record.token, after: token.value ?? '' });
}

async function ofResult(planning: Planning, prepared: PreparedNode, result: StepResult): Promise<Foreseen> {
  const missing = await planning.results.missingOutput(result);
  if (missing !== null) return without({ kind: 'miss', reason: { kind: 'artifact-missing', output: missing } });
  const refusal = await refusalOf(prepared.node.step, result.artifacts, planning.options.gate ?? 'default', planning.stores.artifacts);
  return { prediction: { kind: 'hit', run: result.run, at: result.at }, artifacts: result.artifacts, refused: refusal !== null };
}

async function missReason(planning: Planning, prepared: PreparedNode, parts: FingerprintParts): Promise<MissReason> {
  if (planning.slice.forced.has(prepared.node.address)) return { kind: 'forced' };
  const nearest = nearestChange(await planning.results.earlier(prepared.node), parts);
  return nearest ? { kind: 'changed', run: nearest.result.run, changes: nearest.changes } : { kind: 'first-time' };
}

/** What a step observes now, or why that is not known. */
async function tokenOf(
  planning: Planning,
  prepared: PreparedNode,
  inputs: Readonly<Record<string, string>>,
): Promise<Result<string | null, string>> {
  if (!observes(prepared)) return { ok: true, value: null };
  if (planning.offline) return { ok: false, error: 'not asked, as --offline asks nobody' };
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${observeLimitMs / 1000} s`)), observeLimitMs);
  });
  try {
    return { ok: true, value: await Promise.race([observe(prepared, inputs, planning.ports), tooLong]) };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}

function isSettled({ kind }: Prediction): boolean {
  return kind === 'hit' || kind === 'skip';
}

function without(prediction: Prediction): Foreseen {
  return { prediction, artifacts: null, refused: false };
}
