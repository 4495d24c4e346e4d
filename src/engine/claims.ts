import { setTimeout as delay } from 'node:timers/promises';
import type { Holder } from '../contracts/run.ts';
import { openRunsTable } from '../history/tables.ts';
import { type Lease, type LeaseClient, acquireLease } from './locks.ts';

/** How long a look at the other runs holds, in milliseconds: on this machine's disk, and across a network. */
const lookMs = { local: 10, shared: 100 };
/** Work that takes longer than this is claimed in any case; quick steps of a run that is alone cost no lease. */
const quickMs = { local: 20, shared: 200 };
/** Runs that are looked at. */
const runsAtMost = 50;

/** A key that this run makes. */
export interface Claim {
  /** Other runs may be about: whoever claims looks again whether the result is there by now. */
  readonly contested: boolean;
}

/**
 * Keys that a run makes, so that equal keys of several processes are made once and the others wait for the result.
 * A run that is alone claims only what lasts, and looks every few milliseconds whether it still is; a run that finds others claims before it begins.
 * A key that slips through is made twice, which costs time and harms nothing.
 */
export interface Claims {
  /** To be called when the run has been announced: waits until what others have begun is claimed. */
  settleIn(): Promise<void>;
  /** Waits while another living process makes the key. */
  claim(key: string, onWait: (holder: Holder, heldForMs: number) => void): Promise<Claim>;
  /** The step has ended; `flush` has its result on disk before the key is let go. */
  done(key: string, flush: () => Promise<void>): void;
  /** Lets go of all keys. */
  close(): Promise<void>;
}

interface Held {
  timer: NodeJS.Timeout | undefined;
  lease: Promise<Lease | null> | null;
}

/** Opens the claims of a run. */
export function openClaims(client: LeaseClient, run: string, options: { readonly signal: AbortSignal; readonly noWait: boolean }): Claims {
  const { store, isDead } = client;
  const where = store.capabilities.shared ? 'shared' : 'local';
  const held = new Map<string, Held>();
  const releasing = new Set<Promise<void>>();
  let lookedAt = -Infinity;
  let alone = Promise.resolve(true);

  const look = async (): Promise<boolean> => {
    const rows = await store.scan(openRunsTable, '', '', runsAtMost);
    return rows.every(({ key, row }) => key === run || isDead((row as unknown as { holder: Holder }).holder));
  };
  // Who asks while a look is under way waits for it too, so that steps keep their order.
  const isAlone = (): Promise<boolean> => {
    if (performance.now() - lookedAt >= lookMs[where]) {
      lookedAt = performance.now();
      alone = look();
    }
    return alone;
  };
  const acquire = (key: string, noWait: boolean, onWait: (holder: Holder, heldForMs: number) => void): Promise<Lease> =>
    acquireLease(client, `key/${key}`, { signal: options.signal, noWait, onWait });
  const release = (lease: Promise<Lease | null>, flush: () => Promise<void>): void => {
    const gone = (async () => {
      const taken = await lease;
      await flush().catch(() => undefined);
      // A lease that cannot be given back expires.
      await taken?.release().catch(() => undefined);
    })();
    releasing.add(gone);
    void gone.finally(() => releasing.delete(gone));
  };
  const done = (key: string, flush: () => Promise<void>): void => {
    const one = held.get(key);
    if (!one) return;
    held.delete(key);
    clearTimeout(one.timer);
    if (one.lease) release(one.lease, flush);
  };

  return {
    async settleIn() {
      if (!(await isAlone())) await delay(lookMs[where] + 2 * quickMs[where]);
    },
    async claim(key, onWait) {
      if (await isAlone()) {
        const one: Held = { timer: undefined, lease: null };
        one.timer = setTimeout(() => {
          // Another run that got it meanwhile makes it too: nothing is lost but time.
          one.lease = acquire(key, true, () => undefined).catch(() => null);
        }, quickMs[where]);
        held.set(key, one);
        return { contested: false };
      }
      const lease = await acquire(key, options.noWait, onWait);
      held.set(key, { timer: undefined, lease: Promise.resolve(lease) });
      return { contested: true };
    },
    done,
    async close() {
      for (const key of held.keys()) done(key, () => Promise.resolve());
      await Promise.all(releasing);
    },
  };
}
