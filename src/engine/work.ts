import type { ArtifactReference } from '../contracts/artifact.ts';
import type { FingerprintParts, RunCause } from '../contracts/run.ts';
import { attemptInScope } from './attempt-scope.ts';
import { attemptWork } from './attempts.ts';
import type { PreparedNode } from './fingerprint.ts';
import { keepParts } from './keep-parts.ts';
import type { RunContext, Settled } from './run-context.ts';
import { ended, succeeded } from './settled.ts';
import { acquireSlot } from './pools.ts';

/** A step that has to be done: with what, and under which key its result will stand. */
export interface Work {
  readonly context: RunContext;
  readonly prepared: PreparedNode;
  readonly inputs: Readonly<Record<string, ArtifactReference>>;
  readonly parts: FingerprintParts;
  readonly key: string;
  /** Why the step is done, where its key alone does not say it. */
  readonly cause?: RunCause;
  /** Aborts when the step shall stop. */
  readonly signal: AbortSignal;
}

/** Does a step's work as soon as there is room for it. `before` runs once, when the first attempt has begun. */
export async function doWork(work: Work, before?: () => Promise<void>): Promise<Settled> {
  const readyAt = performance.now();
  const { context, prepared } = work;
  const { pool } = prepared.node.step;
  const patience = queueLimit(work);
  let begun = false;
  const inRoom = async (): Promise<Settled> => {
    begun = true;
    if (context.stopped) return ended('cancelled', 'upstream-failed');
    const keeping = keepParts(work);
    if (keeping) await keeping;
    return attempts(work, readyAt, before);
  };
  const queued = (pool: string | null): void =>
    context.journal.record({ type: 'step-queued', step: prepared.node.address, key: work.key, pool });
  const withRoom = (): Promise<Settled> => context.room.all.run(inRoom, patience, () => queued(null));
  try {
    return await (pool === undefined ? withRoom() : inPool(work, pool, patience, withRoom));
  } catch (error) {
    if (begun || context.signal.aborted) throw error;
    return ended('failed', 'timed-out', {
      reason: 'timed-out',
      message: `Step ${prepared.node.address} waited too long for its turn${pool === undefined ? '' : ` in pool ${pool}`}`,
      where: prepared.node.address,
      expected: `at most ${prepared.node.step.timeouts?.queueMs} ms`,
      exit: 1,
    });
  }
}

/** Works in a slot of a named pool: first in line in this process, then among all that share the state. */
async function inPool(
  { context, prepared, key }: Work,
  pool: string,
  patience: AbortSignal,
  work: () => Promise<Settled>,
): Promise<Settled> {
  // Where workers serve the pools, there is as much of one as they have room, unless the configuration says less.
  const size = context.options.pools?.[pool] ?? (context.dispatch ? null : { limit: 1 });
  let told = false;
  const queued = (): void => {
    if (!told) context.journal.record({ type: 'step-queued', step: prepared.node.address, key, pool });
    told = true;
  };
  return context.room.pool(`pool ${pool}`).run(
    async () => {
      if (!size) return work();
      const slot = await acquireSlot(context.leases, pool, size, {
        signal: patience,
        noWait: context.options.noWait ?? false,
        onWait(holder, heldForMs) {
          queued();
          context.emit({ type: 'waiting', run: context.run, target: `pool ${pool}`, holder, heldForMs });
        },
      });
      try {
        return await work();
      } finally {
        await slot.release();
      }
    },
    patience,
    queued,
  );
}

async function attempts(work: Work, readyAt: number, before?: () => Promise<void>): Promise<Settled> {
  const { context, prepared, parts, key } = work;
  const { address, step } = prepared.node;
  const end = await attemptWork(context, prepared, { signal: work.signal, readyAt }, async (turn) => {
    const { attempt } = turn;
    context.journal.record({ type: 'step-started', step: address, attempt, key, ...(work.cause && { cause: work.cause }) });
    context.emit({ type: 'step-started', run: context.run, step: address, attempt });
    if (attempt === 1) await before?.();
    return attemptInScope(work, turn);
  });
  const left = end.leftBehind ? { leftBehind: true } : {};
  switch (end.kind) {
    case 'made': {
      // The rest of this run finds it, though it may not be in the journal yet.
      const { artifacts, counts, partial = false } = end.made;
      const result = { key, step: step.name, address, run: context.run, parts, artifacts, counts, durationMs: 0, at: context.now() };
      if (!partial) context.results.add(result);
      return { ...(await succeeded(context, prepared, { artifacts, counts }, parts, key)), partial };
    }
    case 'cancelled':
      return { ...ended('cancelled', 'cancelled-by-user'), ...left };
    case 'failed':
      // Said here, before the room that this step leaves goes to the next in line.
      if (!context.options.keepGoing) context.stopped = true;
      return { ...ended('failed', end.reason, end.problem), key, parts, ...left };
  }
}

function queueLimit({ signal, prepared }: Work): AbortSignal {
  const queueMs = prepared.node.step.timeouts?.queueMs;
  return queueMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(queueMs)]);
}
