import { randomUUID } from 'node:crypto';
import { hostname, availableParallelism } from 'node:os';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { type CodeHasher, codeHasher } from '../../engine/code-hash.ts';
import { type WorkerEvent, workForRuns } from '../../engine/dispatch/host-worker.ts';
import { heldItems } from '../../engine/dispatch/held-items.ts';
import { defaultPool } from '../../engine/dispatch/offer.ts';
import { buildGraph, type Graph } from '../../engine/graph.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { drivenSteps } from '../../engine/params.ts';
import { currentHolder } from '../../workers/holder.ts';
import { sharesChanges, type ToldBatch, workForWatches } from '../change-batches.ts';
import { type CommandContext, done, refused, usageProblem, wholeNumber } from '../context.ts';
import { guardSteps } from '../guard-steps.ts';
import { findPipeline, pipelineIndex } from '../project.ts';
import { openSession } from '../session.ts';
import { handsOver } from '../shared-stores.ts';
import { keepWorkerLease } from '../worker-lease.ts';

/** Options of `twin worker`. */
export interface WorkerFlags {
  readonly pool?: string;
  readonly concurrency?: string;
}

/** `twin worker`: does steps of runs on other hosts, until it is told to stop. */
export async function worker(context: CommandContext, flags: WorkerFlags): Promise<CommandOutcome> {
  const { pool = defaultPool } = flags;
  const concurrency = flags.concurrency === undefined ? availableParallelism() : wholeNumber('--concurrency', flags.concurrency);
  if (typeof concurrency !== 'number') return refused([concurrency]);
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { wired, config } = session.value;
  if (!handsOver(config)) {
    const hint = 'Name a profile that shares journal, artifacts and queue: twin worker --profile server';
    return refused([
      usageProblem('not-shared', `A worker has nothing to do in the profile ${context.profile}: its runs do every step themselves`, hint),
    ]);
  }
  const stores = await wired.stores();
  const queue = await wired.ports.open('workQueue');
  // Whatever is not there is said now, and not at the first step.
  await stores.metadata.now();
  for await (const _ of stores.artifacts.list()) break;

  const graphs = new Map<string, Promise<Graph>>();
  const hasher = codeHasher(stores.cache);
  const holder = currentHolder(context.line);
  const tell = (event: WorkerEvent): void => {
    const { run, address, attempt, shard } = event.row;
    const how = event.type === 'taken' ? 'taken' : event.how;
    const rows = shard === null ? null : ([shard.from, shard.to] as const);
    void context.tell({
      type: 'worker-attempt',
      run,
      step: address,
      attempt,
      rows,
      how,
      found: event.type === 'ended' ? (event.found ?? null) : null,
    });
  };
  const tellBatch: ToldBatch = ({ generation, changes }, { refused }) =>
    void context.tell({ type: 'worker-changes', generation, changes: changes.length, refused });
  while (!context.signal.aborted) {
    const id = randomUUID();
    const row = { pool, holder, concurrency, since: await stores.metadata.now(), holds: [] };
    const lease = await keepWorkerLease({ id, row, config, folder: context.folder, environment: context.environment });
    context.progress(`Serves the pool ${pool}, ${concurrency} at a time, as process ${process.pid} on ${hostname()}`);
    const unguard = guardSteps();
    const signal = AbortSignal.any([context.signal, lease.lost]);
    const hold = heldItems(lease.holds);
    const watches = sharesChanges(config) ? workForWatches(context, { queue, pool, concurrency, signal, hold, tell: tellBatch }) : null;
    const runs = workForRuns({
      stores,
      ports: wired.ports,
      host: hostname(),
      graph: (pipeline) => graphOf(context, graphs, hasher, pipeline),
      hasher,
      queue,
      pool,
      concurrency,
      id,
      holder,
      signal,
      tell,
      hold,
    });
    await Promise.all([runs, watches]).finally(unguard);
    if (lease.lost.aborted) context.progress('This worker gave its sign of life too late: what it held, others do. It begins anew.');
    await lease.release();
  }
  return done({ type: 'none' });
}

/** The graph of a pipeline, built once, and the code of its steps hashed as it was loaded. */
function graphOf(context: CommandContext, graphs: Map<string, Promise<Graph>>, hasher: CodeHasher, name: string): Promise<Graph> {
  const known = graphs.get(name);
  if (known) return known;
  const building = (async () => {
    const found = await findPipeline(await pipelineIndex(context.project), name);
    if (!found.ok) throw new ProblemError(found.error);
    const graph = buildGraph(found.value);
    if (!graph.ok) throw new ProblemError(graph.error[0]!);
    const files = graph.value.nodes.flatMap((node) => [node.step, ...Object.values(drivenSteps(node))]).map((step) => step.place.file);
    await hasher.prime(files);
    for (const file of files) await hasher.hash(file);
    return graph.value;
  })();
  graphs.set(name, building);
  building.catch(() => graphs.delete(name));
  return building;
}
