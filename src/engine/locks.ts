import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { Holder } from '../contracts/run.ts';
import { leasesTable } from '../history/tables.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** A lease that is not renewed for so long has no holder any more, by the store's clock. */
export const leaseMs = 30_000;
/** How long a waiting process sleeps between two looks, growing from the first to the second. */
const firstLookMs = 25;
const lastLookMs = 1_000;

/** Somebody's hold on a target. */
export interface LeaseRow {
  readonly holder: Holder;
  readonly since: number;
}

/** A target that is held: until it is released, or lost because the lease could not be renewed in time. */
export interface Lease {
  /** Aborts when the lease was lost. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** Who asks for leases, and how it judges others. */
export interface LeaseClient {
  readonly store: MetadataStore;
  readonly holder: Holder;
  /** Whether a holder is certainly gone; false where nothing is known of it. */
  readonly isDead: (holder: Holder) => boolean;
}

/** How to wait for a target that somebody else holds. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly noWait: boolean;
  /** Hears once for each holder that is waited for. */
  readonly onWait: (holder: Holder, heldForMs: number) => void;
}

/** Takes hold of a target, named `<kind>/<name>`; waits while a living process has it, takes it over at once from a dead one. */
export async function acquireLease(client: LeaseClient, target: string, patience: Patience): Promise<Lease> {
  const { store, holder, isDead } = client;
  let waitedFor: string | undefined;
  for (let look = firstLookMs; ; look = Math.min(look * 2, lastLookMs)) {
    patience.signal.throwIfAborted();
    const [row] = await store.get(leasesTable, [target]);
    const held = row?.row as unknown as LeaseRow | undefined;
    const now = await store.now();
    if (!held || isDead(held.holder)) {
      const lease: LeaseRow = { holder, since: now };
      const write = { key: target, expectedRevision: row?.revision ?? 0, row: lease as unknown as Json, expiresInMs: leaseMs };
      const [outcome] = await store.putMany(leasesTable, [write]);
      if (outcome!.ok) return keepLease(client, target, lease, outcome!.revision);
      continue;
    }
    const name = `${held.holder.host} ${held.holder.pid} ${held.holder.start}`;
    if (patience.noWait) throw locked(target, held, now);
    if (waitedFor !== name) patience.onWait(held.holder, now - held.since);
    waitedFor = name;
    await delay(look, undefined, { signal: patience.signal });
  }
}

/** Renews a lease that was taken until it is released or lost. */
export function keepLease({ store }: LeaseClient, target: string, lease: LeaseRow, first: number): Lease {
  const lost = new AbortController();
  let revision = first;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async (): Promise<void> => {
    const write = { key: target, expectedRevision: revision, row: lease as unknown as Json, expiresInMs: leaseMs };
    const [outcome] = await store.putMany(leasesTable, [write]);
    if (outcome!.ok) revision = outcome!.revision;
    else lost.abort(lostLease(target));
  };
  const timer = setInterval(() => {
    // A store that is out of reach for a moment is asked again; the lease lasts for three tries.
    renewing = renewing.then(renew).catch(() => undefined);
  }, leaseMs / 3);
  timer.unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      await renewing;
      if (!lost.signal.aborted) await store.putMany(leasesTable, [{ key: target, expectedRevision: revision, row: null }]);
    },
  };
}

/** What to say where somebody else holds a target and it shall not be waited for. */
export function locked(target: string, { holder, since }: LeaseRow, now: number): ProblemError {
  return new ProblemError({
    reason: 'locked',
    message: `${target.slice(target.indexOf('/') + 1)} is held by ${holder.command} (process ${holder.pid} on ${holder.host}) for ${Math.round((now - since) / 1000)} s`,
    where: target,
    hint: 'Run without --no-wait to wait for it',
    exit: 1,
  });
}

function lostLease(target: string): ProblemError {
  return new ProblemError({
    reason: 'lease-lost',
    message: `The hold on ${target.slice(target.indexOf('/') + 1)} was lost: it was not renewed in time and another process took it`,
    where: target,
    hint: 'Was this machine suspended? Run again.',
    exit: 1,
  });
}
