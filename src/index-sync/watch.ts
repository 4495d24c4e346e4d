import { setTimeout as delay } from 'node:timers/promises';
import type { IndexState } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { WatchStatus } from '../contracts/watch.ts';
import { isPassing } from './change-batch.ts';
import type { FollowStatus } from './follower.ts';
import { GenerationSync } from './generation-sync.ts';
import type { SyncOptions, SyncPorts } from './sync.ts';
import { takeAlias } from './take-alias.ts';

/** What watching needs beyond following once. */
export interface WatchOptions extends Omit<SyncOptions, 'stop' | 'progress' | 'rescan' | 'count'> {
  /** Ends the watch: what is under way is finished, the cursor is written. */
  readonly stop: AbortSignal;
  /** About once a second, and when the state changes. */
  status(status: WatchStatus): void;
  /** Something got on: the feed answered, a change was settled, a text embedded, a server tried again. Silence means that it hangs. */
  pulse?(): void;
}

const statusEveryMs = 1000;
const sweepsEveryMs = 60_000;
const retriesEveryMs = 2000;
/** Where deletes are not seen, all keys are compared this often. */
const keysEveryMs = 5 * 60_000;
/** Pauses after which a server that is away is tried again. */
const pausesMs = [500, 1000, 2000, 5000, 10_000, 30_000];
/** The part of the source's history that may pass unread before it is time to worry; the worry is over some way below. */
const alarmAt = 0.5;
const calmBelow = 0.4;

/** The same loop as a bounded run, without an end: catches up, gives readers the index, and follows until it is stopped. */
export async function watchChanges(
  options: WatchOptions,
  ports: SyncPorts,
): Promise<IndexState & { readonly settled: number; readonly deadLetters: number }> {
  const teller = new Teller(options, ports);
  const told = {
    ...options,
    rescan: false,
    count: (what: string, amount: number) => teller.count(what, amount),
    progress: () => options.pulse?.(),
  };
  for (let failures = 0; ; failures++) {
    const settledBefore = teller.settled;
    try {
      const sync = await GenerationSync.open(told, ports);
      const timer = setInterval(() => void teller.tell(sync).catch(() => undefined), statusEveryMs);
      try {
        return await watchOnce(sync, options, ports, teller);
      } finally {
        clearInterval(timer);
        teller.keep(sync.status);
        await sync.close();
      }
    } catch (error) {
      if (options.stop.aborted || !isPassing(error)) throw error;
      if (teller.settled > settledBefore) failures = 0;
      teller.waiting(error);
      await delay(pausesMs[Math.min(failures, pausesMs.length - 1)]! * (0.5 + Math.random() / 2), undefined, {
        signal: options.stop,
      }).catch(() => undefined);
      if (options.stop.aborted) throw error;
    }
  }
}

async function watchOnce(sync: GenerationSync, options: WatchOptions, ports: SyncPorts, teller: Teller) {
  const startedAt = await ports.metadataStore.now();
  teller.state = 'catching-up';
  await sync.catchUp();
  if (!options.stop.aborted) {
    await sync.finish();
    const { verdict, reasons } = await takeAlias(sync, { ...options, startedAt, rescan: false }, ports);
    if (verdict !== 'pass') options.log?.(`${sync.generation} is followed, and readers do not get it: ${reasons.join('; ')}`);
    teller.state = 'in-step';
    await teller.tell(sync);
  }
  const due = { sweeps: performance.now(), retries: 0, keys: performance.now() };
  const isDue = (what: keyof typeof due, everyMs: number) => {
    if (performance.now() - due[what] < everyMs) return false;
    due[what] = performance.now();
    return true;
  };
  await sync.follow(async () => {
    options.pulse?.();
    if (isDue('retries', retriesEveryMs)) await sync.retryDead();
    if (isDue('sweeps', sweepsEveryMs)) await sync.runSweeps();
    if (!ports.changeFeed.capabilities.deletes && isDue('keys', keysEveryMs)) await sync.sweep();
  });
  teller.state = 'stopping';
  await teller.tell(sync);
  const totals = await sync.finish();
  teller.keep(sync.status);
  return {
    index: options.index,
    generation: sync.generation,
    ...totals,
    settled: teller.settled,
    deadLetters: await sync.deadLetters.count(),
  };
}

/** Says where the watch stands. */
class Teller {
  state: WatchStatus['state'] = 'catching-up';
  readonly #options: WatchOptions;
  readonly #ports: SyncPorts;
  /** Settled by followers that are no more. */
  #before = 0;
  readonly #counts = new Map<string, number>();
  #last: { readonly at: number; readonly settled: number } = { at: performance.now(), settled: 0 };
  /** What was known when servers answered last. */
  #known: Pick<WatchStatus, 'unsettled' | 'deadLetters'> = { unsettled: 0, deadLetters: 0 };
  #alarm = false;

  constructor(options: WatchOptions, ports: SyncPorts) {
    this.#options = options;
    this.#ports = ports;
  }

  get settled(): number {
    return this.#before;
  }

  keep({ settled }: FollowStatus): void {
    this.#before += settled;
  }

  count(what: string, amount: number): void {
    this.#options.pulse?.();
    this.#counts.set(what, this.#counted(what) + amount);
  }

  #counted(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  async tell(sync: GenerationSync): Promise<void> {
    const { unsettled, settled, cursor } = sync.status;
    const lag = cursor === null ? null : await this.#ports.changeFeed.lag(cursor).catch(() => null);
    const windowUsed = lag?.windowUsed ?? null;
    this.#known = { unsettled, deadLetters: await sync.deadLetters.count() };
    this.#alarmed(windowUsed);
    this.#say({ settled: this.#before + settled, lagMs: lag?.behindMs ?? null, windowUsed, problem: null });
  }

  waiting(error: unknown): void {
    this.state = 'waiting';
    this.#options.pulse?.();
    const problem = error instanceof ProblemError ? error.problem.message : error instanceof Error ? error.message : String(error);
    this.#say({ settled: this.#before, lagMs: null, windowUsed: null, problem });
  }

  #alarmed(windowUsed: number | null): void {
    if (windowUsed === null) return;
    const alarm = windowUsed >= (this.#alarm ? calmBelow : alarmAt);
    if (alarm === this.#alarm) return;
    this.#alarm = alarm;
    const percent = `${(windowUsed * 100).toFixed(0)} % of the source's history`;
    this.#options.log?.(
      alarm
        ? `Warning: ${percent} has passed since the last settled change; at 100 % changes are lost. Let the source keep more of it, or see what holds the index up.`
        : `The index has caught up to ${percent}.`,
    );
  }

  #say(told: Pick<WatchStatus, 'settled' | 'lagMs' | 'windowUsed' | 'problem'>): void {
    const now = performance.now();
    const seconds = (now - this.#last.at) / 1000;
    const perSecond = seconds > 0.2 ? Math.max(0, Math.round((told.settled - this.#last.settled) / seconds)) : 0;
    this.#last = { at: now, settled: told.settled };
    const { index, status } = this.#options;
    const done = {
      pointsWritten: this.#counted('points-written'),
      pointsRemoved: this.#counted('points-removed'),
      embeddingsMade: this.#counted('embedded'),
    };
    status({ type: 'watch-status', index, state: this.state, perSecond, alarm: this.#alarm, ...this.#known, ...done, ...told });
  }
}
