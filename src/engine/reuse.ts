import type { RunCause, StepResult } from '../contracts/run.ts';
import type { RunContext, Settled } from './run-context.ts';
import { reused } from './settled.ts';
import { type Work, doWork } from './work.ts';

/** Ends a step whose result depends on its key alone: the result of an earlier step with that key, or one made now. */
export async function reuseOrDo(work: Work): Promise<Settled> {
  const { context, prepared, key } = work;
  const { address } = prepared.node;
  // Two steps with one key do the work once; the second then finds what the first made.
  for (let other = context.inFlight.get(key); other; other = context.inFlight.get(key)) await other;
  const found: FoundResult = context.slice.forced.has(address) ? { cause: { kind: 'forced' } } : await usableResult(context, address, key);
  if (found.result) return reused(context, prepared, found.result);
  const other = context.inFlight.get(key);
  if (other) return other.then(() => reuseOrDo(work));
  const working = makeOnce(found.cause ? { ...work, cause: found.cause } : work);
  context.inFlight.set(
    key,
    working.catch(() => undefined),
  );
  try {
    return await working;
  } finally {
    context.inFlight.delete(key);
  }
}

/** Does the work unless another process is at it: then its result is waited for and taken. */
async function makeOnce(work: Work): Promise<Settled> {
  const { context, prepared, key } = work;
  const { address } = prepared.node;
  if (work.cause?.kind === 'forced') return doWork(work);
  const target = `the result of ${address}`;
  const { contested } = await context.claims.claim(key, (holder, heldForMs) =>
    context.emit({ type: 'waiting', run: context.run, target, holder, heldForMs }),
  );
  let settled: Settled | undefined;
  try {
    const made = contested ? (await usableResult(context, address, key)).result : undefined;
    settled = made ? await reused(context, prepared, made) : await doWork(work);
    return settled;
  } finally {
    // What has a key is let go once it is journaled; there is nothing to wait for where the step made nothing.
    if (!settled?.key) context.claims.done(key, () => context.journal.flush());
  }
}

/** A result that can be used, or why one that is known cannot be; neither where none is known. */
export interface FoundResult {
  readonly result?: StepResult;
  readonly cause?: RunCause;
}

/** The result under a key, if all its artifacts are still there; says so if not. */
export async function usableResult(context: RunContext, address: string, key: string): Promise<FoundResult> {
  const result = await context.results.find(key);
  if (!result) return {};
  const missing = await context.results.missingOutput(result);
  if (missing === null) return { result };
  const message = `Its output ${missing} is gone from the artifact store or was changed, so the step is done again`;
  context.emit({ type: 'cache-miss', run: context.run, step: address, message });
  return { cause: { kind: 'artifact-missing', output: missing } };
}
