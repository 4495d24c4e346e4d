import type { PortName } from '../../ports/ports.ts';
import type { WorkQueue } from '../../ports/work-queue.ts';
import { Limiter } from '../limits.ts';
import { runMapStep } from '../map-step.ts';
import type { Attempt, Made, RunContext } from '../run-context.ts';
import { Dispatcher, type Handover } from './dispatcher.ts';

/** Rows of a map step's input that are handed over together, at least. */
const shardRows = 64;
/** Shards a slot: enough that a slow one does not keep the others waiting. */
const shardsPerSlot = 4;
const beatMs = 500;
/** Steps that work at once in the process of the run itself. */
const stepsHere = 2;

/** The pool of steps that name none. */
export const defaultPool = 'default';

/** How a run has its steps done by workers. */
export interface Dispatch {
  /** Has an attempt done by workers; null where it is to be done here. */
  offer(attempt: Attempt): Promise<Made | null>;
  /** Room for the steps that are done here after all. */
  readonly room: Limiter;
  close(): Promise<void>;
}

/** What a run needs to hand steps over. */
export interface DispatchOptions {
  readonly queue: WorkQueue;
  /** Ports whose adapters hold state of this host alone: a step that needs one stays here. */
  readonly ownPorts: ReadonlySet<PortName>;
}

/**
 * Hands pure steps and the rows of map steps to the workers of their pool. Effects and jobs stay with the run, which holds the locks of their
 * targets and can adopt what was left behind; so do steps of a pool that no worker serves.
 */
export function openDispatch({ queue, ownPorts }: DispatchOptions, context: Omit<RunContext, 'dispatch'>, pipeline: string): Dispatch {
  const dispatcher = new Dispatcher({
    store: context.stores.metadata,
    queue,
    run: context.run,
    pipeline,
    isDead: context.leases.isDead,
    emit: context.emit,
  });
  let told = false;
  const unserved = (pool: string, step: string): null => {
    const message = `No worker serves the pool ${pool}, so the step is done here: twin worker --profile <name> --pool ${pool}`;
    if (!told) context.emit({ type: 'step-log', run: context.run, step, message });
    told = true;
    return null;
  };
  return {
    room: new Limiter(stepsHere),
    close: () => dispatcher.close(),
    async offer(attempt) {
      const { node } = attempt.prepared;
      const { step } = node;
      if ((node.kind !== 'step' && node.kind !== 'map') || step.needs.some((name) => ownPorts.has(name))) return null;
      // A rate is kept by the process of the run.
      if (attempt.throttle) return null;
      const pool = step.pool ?? defaultPool;
      const slots = await dispatcher.slots(pool);
      if (slots === 0) return unserved(pool, node.address);
      const handover = handoverOf(attempt, pool);
      // A worker that lives is a sign of life; one that does not is found by its lease.
      const beating = setInterval(attempt.beat, beatMs);
      try {
        // Groups may lie across shards.
        if (step.kind === 'map' && !step.groupBy) return await shard(dispatcher, handover, attempt, slots);
        const made = await dispatcher.hand(handover, attempt.signal);
        return made === 'unserved' ? unserved(pool, node.address) : made;
      } finally {
        clearInterval(beating);
      }
    },
  };
}

function handoverOf({ context, prepared, inputs, parts, key, attempt }: Attempt, pool: string): Handover {
  const { address } = prepared.node;
  const forced = context.slice.forced.has(address);
  return { address, attempt, key, parts, params: prepared.params, inputs, forced, shard: null, pool };
}

/**
 * Has the rows of a map step put into the shared row cache by many workers at once, and then goes over all of them here: each is a hit.
 * What a worker did not get done is computed here.
 */
async function shard(dispatcher: Dispatcher, handover: Handover, attempt: Attempt, slots: number): Promise<Made> {
  const input = attempt.inputs['input'];
  const rows = input?.kind === 'rows' ? input.rows : 0;
  const shards = Math.max(1, Math.min(slots * shardsPerSlot, Math.ceil(rows / shardRows)));
  const size = Math.ceil(rows / shards);
  const ends = await Promise.all(
    Array.from({ length: rows === 0 ? 0 : shards }, (_, index) =>
      dispatcher.hand({ ...handover, shard: { from: index * size, to: Math.min(rows, (index + 1) * size) } }, attempt.signal),
    ),
  );
  const { context } = attempt;
  // The workers have computed them anew already.
  const slice = { ...context.slice, forced: new Set<string>() };
  const made = await runMapStep(attempt.prepared.node.step as never, { ...attempt, context: { ...context, slice } });
  const elsewhere = ends.reduce((sum, end) => sum + (end === 'unserved' ? 0 : (end.counts['rows computed'] ?? 0)), 0);
  const counts = { ...made.counts };
  counts['rows computed'] = (counts['rows computed'] ?? 0) + elsewhere;
  counts['rows reused'] = Math.max(0, (counts['rows reused'] ?? 0) - elsewhere);
  return { ...made, counts };
}
