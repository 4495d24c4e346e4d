import type { AttemptRow } from '../../contracts/attempt.ts';
import type { RunEvent } from '../../contracts/events/run.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { PortSource } from '../../ports/ports.ts';
import type { CodeHasher } from '../code-hash.ts';
import type { MapStep } from '../define.ts';
import { fingerprint, prepareNodes } from '../fingerprint.ts';
import type { Graph } from '../graph.ts';
import { rowReader } from '../inputs.ts';
import { mapRows } from '../map-rows.ts';
import { mapSurroundings } from '../map-step.ts';
import { runHere } from '../run-attempt.ts';
import { type Attempt, type Made, type RunContext, type Stores, digestsOf } from '../run-context.ts';
import { inStepScope } from '../step-scope.ts';
import { stepTools } from '../step-tools.ts';
import { mismatch } from './failures.ts';

/** Rows that are looked up and written together. */
const rowsTogether = 64;

/** What a worker has on its host. */
export interface WorkerSurroundings {
  readonly stores: Stores;
  readonly ports: PortSource;
  readonly host: string;
  /** The graph of a pipeline as this host's code has it. */
  readonly graph: (pipeline: string) => Promise<Graph>;
  /** Knows the code as it was when it was loaded: a file that changes later changes nothing of what this process does. */
  readonly hasher: CodeHasher;
}

/** Does an attempt that a run on another host has handed over, if this host's code comes to the same key. */
export async function runRemoteAttempt(
  { stores, ports, host, graph, hasher }: WorkerSurroundings,
  row: AttemptRow,
  signal: AbortSignal,
  emit: (event: RunEvent) => void,
): Promise<Made> {
  const { run, pipeline, address, key, parts, inputs } = row;
  const { byAddress } = await graph(pipeline);
  const node = byAddress.get(address);
  if (!node) throw unknownStep(row, host);
  const alone: Graph = { pipeline, nodes: [node], byAddress: new Map([[address, node]]) };
  const prepared = await prepareNodes(alone, new Map([[address, row.params]]), hasher);
  if (!prepared.ok) throw new ProblemError(prepared.error[0]!);
  const own = prepared.value.get(address)!;
  const different = mismatch(address, host, parts, await fingerprint(own, digestsOf(inputs), parts.observed, ports));
  if (different) throw new ProblemError(different);

  // What an attempt reads of its run, and no more: everything else stays with the host of the run.
  const slice = { steps: new Set([address]), forced: new Set(row.forced ? [address] : []) };
  const context = { run, stores, ports, emit, signal, slice, options: {}, dispatch: null } as unknown as RunContext;
  // The run hears of this worker by its lease; whether the step has a rate, it has looked at before it handed it over.
  const turn = { attempt: row.attempt, signal, beat: () => undefined, throttle: null };
  const attempt: Attempt = { context, prepared: own, inputs, parts, key, ...turn };
  return inStepScope({ run, step: address, attempt: row.attempt, emit }, () =>
    row.shard === null ? runHere(node.step, attempt) : mapShard(node.step as MapStep, attempt, row.shard),
  );
}

/** Puts the results of some rows into the row cache, which all hosts share. */
async function mapShard(step: MapStep, attempt: Attempt, { from, to }: NonNullable<AttemptRow['shard']>): Promise<Made> {
  const { context, signal } = attempt;
  const { artifacts } = context.stores;
  const tools = stepTools(attempt);
  const surroundings = await mapSurroundings(step, attempt, tools, step.tolerate !== undefined);
  let at = 0;
  let gathered: unknown[] = [];
  const map = async (): Promise<void> => {
    signal.throwIfAborted();
    await mapRows(surroundings, gathered);
    gathered = [];
  };
  for await (const row of rowReader(attempt.inputs['input']!, artifacts)) {
    if (at++ < from) continue;
    if (at > to) break;
    gathered.push(row);
    if (gathered.length >= rowsTogether) await map();
  }
  if (gathered.length > 0) await map();
  return { artifacts: {}, counts: tools.counts };
}

function unknownStep({ pipeline, address }: AttemptRow, host: string): ProblemError {
  return new ProblemError({
    reason: 'code-mismatch',
    message: `The worker on ${host} has no step ${address} in the pipeline ${pipeline}`,
    where: address,
    hint: 'Bring the worker to the same commit as the run, and start it again.',
    exit: 1,
  });
}
