import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../contracts/digest.ts';
import { leasesTable } from '../history/tables.ts';
import type { TableRow } from '../ports/metadata-store.ts';
import { type Lease, type LeaseClient, type LeaseRow, keepLease, leaseMs, locked } from './locks.ts';
import type { Patience } from './locks.ts';

/** How much of a named pool there is: so many steps at once, so many starts a minute, over all processes that share the state. */
export interface PoolSize {
  readonly limit: number;
  readonly perMinute?: number;
}

/** How long a waiting process sleeps between two looks, growing from the first to the second. */
const firstLookMs = 25;
const lastLookMs = 500;
/** A reservation this far ahead was made by a clock that has since been set back. */
const farAheadMs = 10 * 60_000;

/**
 * Takes a slot of a pool. Whoever came first gets the next one that is free, whatever process it is in;
 * the slot and the place in the queue of a process that has died are free at once.
 */
export async function acquireSlot(client: LeaseClient, pool: string, { limit }: PoolSize, patience: Patience): Promise<Lease> {
  const { store, holder } = client;
  const slots = Array.from({ length: limit }, (_, slot) => `pool/${pool}/${slot + 1}`);
  const since = await store.now();
  const ticket = `queue/${pool}/${String(since).padStart(16, '0')}-${randomUUID()}`;
  let renewedAt = -Infinity;
  let waitedFor: string | undefined;
  try {
    for (let look = firstLookMs; ; look = Math.min(look * 2, lastLookMs)) {
      patience.signal.throwIfAborted();
      const held = await store.get(leasesTable, slots);
      const free = slots.filter((_, slot) => isFree(client, held[slot]));
      // Whoever stands in line before us takes as many of the free slots.
      const before = await waitingBefore(client, pool, ticket);
      if (before < free.length) {
        const slot = free[before]!;
        const lease: LeaseRow = { holder, since: await store.now() };
        const write = {
          key: slot,
          expectedRevision: held[slots.indexOf(slot)]?.revision ?? 0,
          row: lease as unknown as Json,
          expiresInMs: leaseMs,
        };
        const [outcome] = await store.putMany(leasesTable, [write]);
        if (outcome!.ok) return keepLease(client, slot, lease, outcome!.revision);
        continue;
      }
      const busy = held.find((row) => !isFree(client, row));
      const row = busy?.row as LeaseRow | undefined;
      if (patience.noWait && row) throw locked(`pool/${pool}`, row, await store.now());
      const name = row ? `${row.holder.host} ${row.holder.pid} ${row.holder.start}` : undefined;
      if (row && name !== waitedFor) patience.onWait(row.holder, (await store.now()) - row.since);
      waitedFor = name ?? waitedFor;
      if (performance.now() - renewedAt > leaseMs / 3) {
        renewedAt = performance.now();
        await store.putMany(leasesTable, [{ key: ticket, expectedRevision: null, row: { holder, since }, expiresInMs: leaseMs }]);
      }
      await delay(look, undefined, { signal: patience.signal });
    }
  } finally {
    if (renewedAt > -Infinity) await store.putMany(leasesTable, [{ key: ticket, expectedRevision: null, row: null }]);
  }
}

/**
 * Waits for a turn at the rate of a pool. Turns are given out in order by one compare-and-swap each, evenly spaced after a short burst,
 * so that nobody has to ask again; the turn of a process that dies is lost.
 */
export async function takeTurn({ store }: LeaseClient, pool: string, perMinute: number, signal: AbortSignal): Promise<void> {
  const intervalMs = 60_000 / perMinute;
  const burstMs = 1000;
  for (;;) {
    signal.throwIfAborted();
    const [row] = await store.get(leasesTable, [`rate/${pool}`]);
    const now = await store.now();
    const stored = (row?.row as { readonly next?: number } | undefined)?.next ?? now;
    const next = stored > now + farAheadMs ? now : Math.max(now, stored);
    const write = { key: `rate/${pool}`, expectedRevision: row?.revision ?? 0, row: { next: next + intervalMs } };
    const [outcome] = await store.putMany(leasesTable, [write]);
    if (!outcome!.ok) continue;
    const waitMs = next - burstMs - now;
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
    return;
  }
}

function isFree({ isDead }: LeaseClient, row: TableRow | null | undefined): boolean {
  return !row || isDead((row.row as unknown as LeaseRow).holder);
}

/** How many living processes wait for the pool and came before a ticket. */
async function waitingBefore({ store, isDead }: LeaseClient, pool: string, ticket: string): Promise<number> {
  const tickets = await store.scan(leasesTable, `queue/${pool}/`, '', 1000);
  return tickets.filter(({ key, row }) => key < ticket && !isDead((row as unknown as LeaseRow).holder)).length;
}
