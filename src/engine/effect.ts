import { ProblemError } from '../contracts/problem.ts';
import { type EffectRecord, readEffect, targetOf, writeEffect } from './effect-record.ts';
import { acquireLease } from './locks.ts';
import { observe } from './observe.ts';
import { usableResult } from './reuse.ts';
import { type Settled, digestsOf } from './run-context.ts';
import { reused } from './settled.ts';
import { type Work, doWork } from './work.ts';

/**
 * Ends an effect step. It is up to date when its key equals that of its last commit and its target is as it left it.
 * Otherwise it works under the lock of its target: an intent goes on disk first, the commit with the token observed after it last.
 */
export async function settleEffect(work: Work): Promise<Settled> {
  const { context, prepared } = work;
  const target = targetOf(prepared);
  const early = await upToDate(work);
  if ('outcome' in early) return early;
  // Steps of this process take turns without a look at the store.
  return context.room.pool(`effect ${target}`).run(async () => {
    if (context.abandoned.has(target)) throw abandoned(prepared.node.address, target);
    const lease = await acquireLease(context.leases, `effect/${target}`, {
      signal: context.signal,
      noWait: context.options.noWait ?? false,
      onWait(holder, heldForMs) {
        context.journal.record({ type: 'step-queued', step: prepared.node.address, key: work.key, pool: target });
        context.emit({ type: 'waiting', run: context.run, target, holder, heldForMs });
      },
    });
    let leftBehind = false;
    try {
      const now = await upToDate(work);
      if ('outcome' in now) return now;
      const settled = await change({ ...work, ...now, signal: AbortSignal.any([context.signal, lease.lost]) });
      leftBehind = settled.leftBehind === true;
      return settled;
    } finally {
      // An effect that goes on against our will keeps its target until this process has ended.
      if (leftBehind) context.abandoned.add(target);
      else await lease.release();
    }
  }, context.signal);
}

/** The end of a step that is up to date; else why it is not, where its key alone does not say it. */
async function upToDate(work: Work): Promise<Settled | Pick<Work, 'cause'>> {
  const { context, prepared, key, inputs } = work;
  const { address } = prepared.node;
  if (context.slice.forced.has(address)) return { cause: { kind: 'forced' } };
  const { record } = await readEffect(context.stores.metadata, prepared);
  if (record && (record.state === 'intent' || record.token === null)) return { cause: { kind: 'interrupted', run: record.run } };
  if (record?.key !== key || record.token === null) return {};
  const token = await observe(prepared, digestsOf(inputs), context.ports);
  if (token !== record.token) return { cause: { kind: 'state-changed', before: record.token, after: token ?? '' } };
  // The process that made the effect may have died before its journal told so: then this run's journal tells it.
  const unjournaled = record.result !== undefined && (await context.results.find(key)) === null;
  if (unjournaled) context.results.add(record.result);
  const { result, cause } = await usableResult(context, address, key);
  return result ? { ...(await reused(context, prepared, result)), unjournaled } : { ...(cause && { cause }) };
}

async function change(work: Work): Promise<Settled> {
  const { context, prepared, key, inputs } = work;
  const { metadata } = context.stores;
  const record: EffectRecord = { state: 'intent', key, run: context.run, token: null };
  let { revision } = await readEffect(metadata, prepared);
  const settled = await doWork(work, async () => {
    // What the effect builds on is on disk before the effect is.
    await context.journal.flush();
    revision = await writeEffect(metadata, prepared, record, revision);
  });
  if (settled.outcome !== 'succeeded') return settled;
  let token: string;
  try {
    token = (await observe(prepared, digestsOf(inputs), context.ports))!;
  } catch (error) {
    // The effect is done; only nobody can tell later that it still holds, so the next run does it again.
    const message = `Its target could not be observed afterwards: ${error instanceof Error ? error.message : String(error)}`;
    context.emit({ type: 'step-log', run: context.run, step: prepared.node.address, message });
    return settled;
  }
  const result = await context.results.find(key);
  await writeEffect(metadata, prepared, { ...record, state: 'committed', token, ...(result && { result }) }, revision);
  return settled;
}

function abandoned(address: string, target: string): ProblemError {
  return new ProblemError({
    reason: 'target-abandoned',
    message: `Step ${address} cannot change ${target}: an earlier step of this run did not stop when it was told to and may still be at it`,
    where: address,
    hint: 'Run again once this process has ended',
    exit: 1,
  });
}
