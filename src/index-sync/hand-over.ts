import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Change } from '../ports/change-feed.ts';
import type { ChangeBatchEnd, WorkQueue } from '../ports/work-queue.ts';

/** How often the workers are looked at. */
const lookMs = 500;
/** A batch that no living worker says it does for so long is handed over again: the queue may have been emptied, or a worker have died. */
const unclaimedMs = 6000;
/** While all workers are at other batches, it waits its turn for so long. */
const busyMs = 60_000;
const handedAtMost = 3;
/** Where workers did not do a batch, none is handed to them for so long. */
const restMs = 30_000;

/** Workers on other hosts that apply changes. */
export interface ChangeWorkers {
  readonly queue: WorkQueue;
  /** The pool that they serve. */
  readonly pool: string;
  /** The pipeline whose steps and parameters they take. */
  readonly pipeline: string;
  /** Those that are alive: how many batches they do at once, and which they do now. */
  alive(): Promise<{ readonly slots: number; readonly holds: ReadonlySet<string> }>;
}

/** The lane of change batches for the workers of a pool. */
export function changesLane(pool: string): string {
  return `changes/${pool}`;
}

/** The lane in which whoever handed a batch over hears of its end. */
export function batchEndLane(batch: string): string {
  return `changes-ended/${batch.slice(0, batch.lastIndexOf('/'))}`;
}

/**
 * Hands batches of changes over to workers. Nothing hangs on the queue: a batch that is lost on either way is handed over again, or done by
 * whoever follows the changes.
 */
export class HandOver {
  readonly #workers: ChangeWorkers;
  readonly #generation: string;
  readonly #log: (message: string) => void;
  readonly #id = randomUUID();
  readonly #waiting = new Map<string, (end: ChangeBatchEnd) => void>();
  readonly #closing = new AbortController();
  readonly #told = new Set<string>();
  #consuming: Promise<void> | null = null;
  #count = 0;
  #alive: ReturnType<ChangeWorkers['alive']> | null = null;
  #aliveAt = -Infinity;
  #slots = 0;
  #restsUntil = -Infinity;

  constructor(workers: ChangeWorkers, generation: string, log: (message: string) => void) {
    this.#workers = workers;
    this.#generation = generation;
    this.#log = log;
  }

  /** Batches that the workers did at once when they were looked at last. */
  get slots(): number {
    return this.#slots;
  }

  /** Whether workers are there to be handed something. */
  async isServed(): Promise<boolean> {
    return performance.now() > this.#restsUntil && (await this.#look()).slots > 0;
  }

  /** Has a batch done by a worker; null where none does it, and it is to be done here. */
  async hand(changes: readonly Change[], signal: AbortSignal | undefined): Promise<ChangeBatchEnd | null> {
    const { queue, pool, pipeline } = this.#workers;
    const batch = `${this.#id}/${++this.#count}`;
    const ended = new Promise<ChangeBatchEnd>((resolve) => this.#waiting.set(batch, resolve));
    this.#listen();
    try {
      for (let handed = 1; handed <= handedAtMost; handed += 1) {
        const item = { kind: 'change-batch', batch, handed, pipeline, generation: this.#generation, changes } as const;
        try {
          await queue.enqueue([item], changesLane(pool));
        } catch (error) {
          return this.#notDone(`the queue cannot be reached (${error instanceof Error ? error.message : String(error)})`);
        }
        const end = await this.#end(batch, ended, signal);
        if (end?.refused === null) return end;
        if (end) return this.#notDone(end.refused);
        if ((await this.#look()).slots === 0) return this.#notDone('none of them is alive any more');
      }
      return this.#notDone(`none of them took a batch that was handed over ${handedAtMost} times`);
    } finally {
      this.#waiting.delete(batch);
    }
  }

  /** Stops listening. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#consuming;
  }

  /** The end of a batch; null where no living worker does it. */
  async #end(batch: string, ended: Promise<ChangeBatchEnd>, signal: AbortSignal | undefined): Promise<ChangeBatchEnd | null> {
    for (let [claimedAt, patienceMs] = [performance.now(), unclaimedMs]; performance.now() - claimedAt < patienceMs;) {
      const end = await Promise.race([ended, delay(lookMs, null, signal && { signal })]);
      if (end !== null) return end;
      const { slots, holds } = await this.#look();
      if (slots === 0) return null;
      if (holds.has(batch)) claimedAt = performance.now();
      patienceMs = holds.size >= slots && !holds.has(batch) ? busyMs : unclaimedMs;
    }
    return null;
  }

  #notDone(why: string): null {
    if (!this.#told.has(why)) this.#log(`Changes are applied here, and not by workers of the pool ${this.#workers.pool}: ${why}`);
    this.#told.add(why);
    this.#restsUntil = performance.now() + restMs;
    return null;
  }

  #listen(): void {
    const { signal } = this.#closing;
    const lane = batchEndLane(`${this.#id}/0`);
    const consume = async (): Promise<void> => {
      while (!signal.aborted) {
        await this.#workers.queue
          .consume(
            async (item) => {
              if (item.kind === 'change-batch-end') this.#waiting.get(item.batch)?.(item);
            },
            { concurrency: 16, signal, lane },
          )
          .catch(() => undefined);
        if (!signal.aborted) await delay(lookMs, undefined, { signal }).catch(() => undefined);
      }
    };
    this.#consuming ??= consume();
  }

  #look(): ReturnType<ChangeWorkers['alive']> {
    if (this.#alive === null || performance.now() - this.#aliveAt > lookMs) {
      this.#aliveAt = performance.now();
      this.#alive = this.#workers.alive().then((alive) => {
        this.#slots = alive.slots;
        return alive;
      });
      this.#alive.catch(() => (this.#alive = null));
    }
    return this.#alive;
  }
}
