import type { ArtifactReference } from '../contracts/artifact.ts';
import type { FingerprintParts, RunCause } from '../contracts/run.ts';
import { attemptWork } from './attempts.ts';
import type { PreparedNode } from './fingerprint.ts';
import { keepParts } from './keep-parts.ts';
import { runAttempt } from './run-attempt.ts';
import type { RunContext, Settled } from './run-context.ts';
import { ended, succeeded } from './settled.ts';
import { stepScope } from './step-scope.ts';

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
  const { context, prepared } = work;
  const { pool } = prepared.node.step;
  const patience = queueLimit(work);
  let begun = false;
  const inRoom = async (): Promise<Settled> => {
    begun = true;
    if (context.stopped) return ended('cancelled', 'upstream-failed');
    const keeping = keepParts(work);
    if (keeping) await keeping;
    return attempts(work, before);
  };
  const queued = (pool: string | null): void =>
    context.journal.record({ type: 'step-queued', step: prepared.node.address, key: work.key, pool });
  const inPool = (): Promise<Settled> => context.room.all.run(inRoom, patience, () => queued(null));
  try {
    return await (pool === undefined ? inPool() : context.room.pool(`pool ${pool}`).run(inPool, patience, () => queued(pool)));
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

async function attempts(work: Work, before?: () => Promise<void>): Promise<Settled> {
  const { context, prepared, parts, key, inputs } = work;
  const { address, step } = prepared.node;
  const end = await attemptWork(context, prepared, work.signal, async (attempt, signal) => {
    context.journal.record({ type: 'step-started', step: address, attempt, key, ...(work.cause && { cause: work.cause }) });
    context.emit({ type: 'step-started', run: context.run, step: address, attempt });
    if (attempt === 1) await before?.();
    return stepScope.run({ step: address, attempt }, () => runAttempt(step, { context, prepared, inputs, parts, key, attempt, signal }));
  });
  switch (end.kind) {
    case 'made': {
      // The rest of this run finds it, though it may not be in the journal yet.
      context.results.add({ key, step: step.name, address, run: context.run, parts, ...end.made, durationMs: 0, at: context.now() });
      return succeeded(context, prepared, end.made, parts, key);
    }
    case 'cancelled':
      return ended('cancelled', 'cancelled-by-user');
    case 'failed':
      // Said here, before the room that this step leaves goes to the next in line.
      if (!context.options.keepGoing) context.stopped = true;
      return { ...ended('failed', end.reason, end.problem), key, parts };
  }
}

function queueLimit({ signal, prepared }: Work): AbortSignal {
  const queueMs = prepared.node.step.timeouts?.queueMs;
  return queueMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(queueMs)]);
}
