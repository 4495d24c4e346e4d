import { setTimeout as delay } from 'node:timers/promises';
import type { AttemptEvent, AttemptRow, WorkerRow } from '../../contracts/attempt.ts';
import type { RunEvent } from '../../contracts/events/run.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { MetadataStore } from '../../ports/metadata-store.ts';
import type { WorkQueue } from '../../ports/work-queue.ts';
import type { LeaseClient } from '../locks.ts';
import type { Made } from '../run-context.ts';
import { attemptFailure, lostEverywhere } from './failures.ts';
import {
  endedLane,
  itemKey,
  parseItemKey,
  poolLane,
  readAttempts,
  readEvents,
  readWorkers,
  type StoredAttempt,
  workerLeaseMs,
  writeAttempt,
} from './tables.ts';

/** How often the journal is looked at: the queue tells sooner, and may be empty. */
const lookMs = 500;
/** An attempt that nobody has taken for so long is queued again: the queue may have been emptied. */
const requeueMs = 2000;
/** An attempt that nobody serves for so long comes back. */
const unservedMs = 3000;
/** An attempt that its living worker does not count among what it does for so long, nobody does; the worker says so three times as often. */
const unclaimedMs = workerLeaseMs;
/** So many workers may vanish over one attempt before it counts as what kills them. */
const lossesAtMost = 3;

/** What an attempt is handed over with. */
export type Handover = Omit<AttemptRow, 'run' | 'pipeline' | 'state' | 'fence' | 'worker' | 'end' | 'words'>;

/** What a dispatcher works with. */
export interface DispatcherOptions {
  readonly store: MetadataStore;
  readonly queue: WorkQueue;
  readonly run: string;
  readonly pipeline: string;
  readonly isDead: LeaseClient['isDead'];
  readonly emit: (event: RunEvent) => void;
}

interface Waiting {
  readonly handover: Handover;
  readonly resolve: (made: Made | 'unserved') => void;
  readonly reject: (error: unknown) => void;
  queuedAt: number;
  /** Since when no living worker serves the pool. */
  unservedSince: number | null;
  /** Since when its worker is alive and does not say that it does the attempt. */
  unclaimedSince: number | null;
  losses: number;
  heard: string;
  fence: number;
}

/** Hands attempts of one run to workers and waits for their ends. The journal alone decides; the queue only makes it quick. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #waiting = new Map<string, Waiting>();
  readonly #closing = new AbortController();
  #workers: Promise<ReadonlyMap<string, WorkerRow>> | null = null;
  #workersAt = -Infinity;
  #count = 0;
  #looking: Promise<void> | null = null;
  #consuming: Promise<void> | null = null;

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** Attempts that the living workers of a pool can do at once. */
  async slots(pool: string): Promise<number> {
    const workers = await this.#alive();
    return [...workers.values()].reduce((sum, worker) => sum + (worker.pool === pool ? worker.concurrency : 0), 0);
  }

  /** Has an attempt done elsewhere; `unserved` where no worker of its pool is alive any more. */
  async hand(handover: Handover, signal: AbortSignal): Promise<Made | 'unserved'> {
    signal.throwIfAborted();
    const { store, run, pipeline } = this.#options;
    const id = `${run}/${++this.#count}`;
    const row: AttemptRow = { ...handover, run, pipeline, state: 'queued', fence: 0, worker: null, end: null, words: 0 };
    const revision = await writeAttempt(store, { id, revision: 0, row });
    if (revision === null) throw new Error(`The attempt ${id} is there already`);
    const ended = new Promise<Made | 'unserved'>((resolve, reject) => {
      const state = { queuedAt: performance.now(), unservedSince: null, unclaimedSince: null, losses: 0, heard: '', fence: 0 };
      this.#waiting.set(id, { handover, resolve, reject, ...state });
    });
    const withdraw = (): void => void this.#withdraw(id, signal.reason);
    signal.addEventListener('abort', withdraw, { once: true });
    this.#listen();
    await this.#enqueue(id, handover.pool, 0);
    if (signal.aborted) withdraw();
    return ended.finally(() => {
      signal.removeEventListener('abort', withdraw);
      this.#waiting.delete(id);
    });
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking?.catch(() => undefined);
    await this.#consuming;
  }

  #listen(): void {
    if (this.#consuming) return;
    const { queue, run } = this.#options;
    const { signal } = this.#closing;
    const hear = async (key: string): Promise<void> => this.#look([parseItemKey(key).id]);
    const consume = async (): Promise<void> => {
      while (!signal.aborted) {
        await queue
          .consume(async (item) => (item.kind === 'attempt' ? hear(item.key) : undefined), {
            concurrency: 16,
            signal,
            lane: endedLane(run),
          })
          .catch(() => undefined);
        if (!signal.aborted) await delay(lookMs, undefined, { signal }).catch(() => undefined);
      }
    };
    const poll = async (): Promise<void> => {
      while (!signal.aborted) {
        await delay(lookMs, undefined, { signal, ref: true }).catch(() => undefined);
        if (!signal.aborted) await (this.#looking = this.#look([...this.#waiting.keys()])).catch(() => undefined);
      }
    };
    this.#consuming = Promise.all([consume(), poll()]).then(() => undefined);
  }

  async #look(ids: readonly string[]): Promise<void> {
    const asked = ids.filter((id) => this.#waiting.has(id));
    if (asked.length === 0) return;
    const found = await readAttempts(this.#options.store, asked);
    const workers = await this.#alive();
    await Promise.all(asked.map((id, index) => this.#judge(id, found[index]!, workers)));
  }

  async #judge(id: string, found: StoredAttempt | null, workers: ReadonlyMap<string, WorkerRow>): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    if (found === null) return this.#writeAgain(id, waiting);
    const { row } = found;
    if (row.state === 'running' || row.words > 0) await this.#tellEvents(id, waiting);
    waiting.fence = row.fence;
    if (row.state === 'done') return this.#end(found, waiting);
    if (row.state === 'queued') {
      waiting.unclaimedSince = null;
      return this.#judgeQueued(found, waiting, workers);
    }
    waiting.unservedSince = null;
    const { worker } = row;
    if (worker === null) return;
    const alive = this.#options.isDead(worker.holder) ? undefined : workers.get(worker.id);
    if (alive === undefined)
      return this.#takeBack(found, waiting, `is lost: it gave no sign for ${workerLeaseMs / 1000} s or its process is gone`);
    const claimed = alive.holds.includes(itemKey(id, row.fence));
    const now = performance.now();
    waiting.unclaimedSince = claimed ? null : (waiting.unclaimedSince ?? now);
    // Its last write about the attempt went with the server, or never came there.
    if (waiting.unclaimedSince !== null && now - waiting.unclaimedSince > unclaimedMs)
      await this.#takeBack(found, waiting, 'has ended the step, and the journal has lost how');
  }

  /** A row that went with its server: whoever holds it finds that it is no longer its own. */
  async #writeAgain(id: string, waiting: Waiting): Promise<void> {
    const { store, run, pipeline } = this.#options;
    const { handover, fence } = waiting;
    const row: AttemptRow = { ...handover, run, pipeline, state: 'queued', fence: fence + 1, worker: null, end: null, words: 0 };
    if ((await writeAttempt(store, { id, revision: 0, row })) !== null) await this.#enqueue(id, handover.pool, row.fence);
  }

  async #judgeQueued({ id, row, revision }: StoredAttempt, waiting: Waiting, workers: ReadonlyMap<string, WorkerRow>): Promise<void> {
    const now = performance.now();
    const served = [...workers.values()].some((worker) => worker.pool === row.pool && !this.#options.isDead(worker.holder));
    waiting.unservedSince = served ? null : (waiting.unservedSince ?? now);
    if (waiting.unservedSince !== null && now - waiting.unservedSince > unservedMs) {
      // Only if nobody takes it in this very moment.
      if ((await writeAttempt(this.#options.store, { id, revision, row: null })) !== null) waiting.resolve('unserved');
      return;
    }
    if (now - waiting.queuedAt < requeueMs) return;
    waiting.queuedAt = now;
    await this.#enqueue(id, row.pool, row.fence);
  }

  /** Fences the worker off first: what it commits from now on is refused. Then the attempt is queued again. */
  async #takeBack({ id, row, revision }: StoredAttempt, waiting: Waiting, why: string): Promise<void> {
    const { store, run, emit } = this.#options;
    const { host, pid } = row.worker!.holder;
    const next = await writeAttempt(store, { id, revision, row: { ...row, state: 'queued', worker: null } });
    // It came to an end after all, which the next look finds.
    if (next === null) return;
    waiting.losses++;
    waiting.queuedAt = performance.now();
    waiting.unclaimedSince = null;
    const message = `The worker on ${host} (process ${pid}) ${why}. The step is done again.`;
    emit({ type: 'step-log', run, step: row.address, message });
    if (waiting.losses >= lossesAtMost) return waiting.reject(lostEverywhere(row.address, waiting.losses));
    await this.#enqueue(id, row.pool, row.fence);
  }

  async #end({ id, row, revision }: StoredAttempt, waiting: Waiting): Promise<void> {
    this.#waiting.delete(id);
    // Nobody waits for that: it would vanish by itself.
    void writeAttempt(this.#options.store, { id, revision, row: null }).catch(() => undefined);
    const { end } = row;
    if (end?.ok === true) waiting.resolve(end.made);
    else waiting.reject(attemptFailure(row.address, end));
  }

  async #withdraw(id: string, reason: unknown): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    try {
      const [found] = await readAttempts(this.#options.store, [id]);
      if (found) await writeAttempt(this.#options.store, { id, revision: found.revision, row: null });
    } catch {
      // It stays behind for a day; its worker finds that the run has ended.
    }
    waiting.reject(reason);
  }

  async #tellEvents(id: string, waiting: Waiting): Promise<void> {
    const rows = await readEvents(this.#options.store, id, waiting.heard).catch(() => []);
    for (const { key, row } of rows) {
      waiting.heard = key;
      for (const event of row as unknown as readonly AttemptEvent[]) this.#options.emit(event);
    }
  }

  async #enqueue(id: string, pool: string, fence: number): Promise<void> {
    try {
      await this.#options.queue.enqueue([{ kind: 'attempt', key: itemKey(id, fence) }], poolLane(pool));
    } catch (error) {
      // Out of reach for the moment: it is queued again at a later look. A queue that is wrong in itself stays so.
      if (error instanceof ProblemError && error.problem.reason !== 'redis-unreachable' && error.problem.reason !== 'redis-full')
        throw error;
    }
  }

  /** The workers as they were a moment ago; whoever asks while that is looked up waits for the same answer. */
  #alive(): Promise<ReadonlyMap<string, WorkerRow>> {
    if (this.#workers !== null && performance.now() - this.#workersAt < lookMs) return this.#workers;
    this.#workersAt = performance.now();
    const looking = readWorkers(this.#options.store);
    this.#workers = looking;
    looking.catch(() => (this.#workers = null));
    return looking;
  }
}
