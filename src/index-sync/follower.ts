import type { Change, ChangeFeed, ChangeRead, Cursor } from '../ports/change-feed.ts';
import type { DocumentKey, Version } from '../ports/document-store.ts';
import type { BatchContext, SettledKey } from './change-batch.ts';
import type { StateKeeper } from './cursor.ts';
import { Ledger } from './ledger.ts';

/** Keys read from the change feed at once, and in one batch of changes. */
const keysAtOnce = 1024;
export const batchKeys = 128;
/** The feed is read no further while this much is unsettled, until half of it is settled: memory stays flat at any backlog. */
const mostUnsettled = 8192;
const mostBytes = 8 * 1024 * 1024;
/** What is unsettled is so much larger than its names. */
const bytesBeside = 256;
/** The cursor is written this often at most while changes come, and while nothing but the feed's own clock moves. */
const saveEveryMs = 500;
const keepAliveMs = 10_000;

/** Changes that were read together: once all are settled, and those of all pages before, the cursor may stand behind them. */
interface Page {
  readonly cursor: Cursor;
  open: number;
}

/** A key with changes that are not settled: one batch at a time works on it, and what comes meanwhile makes one more. */
interface Want {
  readonly key: DocumentKey;
  readonly waiting: { readonly page: Page; readonly version: Version }[];
}

/** How far following has come. */
export interface FollowStatus {
  /** Keys with changes that were read and not settled. */
  readonly unsettled: number;
  /** Changes settled since this process began. */
  readonly settled: number;
  /** Of them, documents that were put aside. */
  readonly dead: number;
  readonly cursor: Cursor | null;
}

/** What a follower works with. */
export interface FollowerOptions {
  readonly changeFeed: ChangeFeed;
  readonly keeper: StateKeeper;
  readonly batch: BatchContext;
  /** Applies changes, in this process or another; resolves when all of them are settled. */
  apply(changes: readonly Change[], settled: (keys: readonly SettledKey[]) => void): Promise<void>;
  /** Batches that are worked on at once. */
  lanes(): number;
  /** Keys in a batch while so many are waiting. */
  keysOf(waiting: number): number;
  /** No further batch is begun once it aborts; those under way are finished. */
  readonly stop?: AbortSignal | undefined;
  progress?(settled: number, unsettled: number): void;
}

/** A feed that cannot go on: changes are lost, or something befell all documents of a collection. */
export type Halt = Exclude<ChangeRead, { readonly kind: 'changes' }>;

/**
 * Follows a change feed: many keys at once, each key by one batch at a time. The cursor moves only to where everything before is settled, so
 * that whatever dies, the next one reads again what was not.
 */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #wants = new Map<string, Want>();
  readonly #queue: Want[] = [];
  readonly #pages: Page[] = [];
  readonly #running = new Set<Promise<void>>();
  #readAt: Cursor | null;
  #watermark: Cursor | null;
  #version: Version;
  #bytes = 0;
  #settled = 0;
  #dead = 0;
  #failure: { readonly error: unknown } | null = null;
  #savedAt = -Infinity;
  #wake: (() => void) | null = null;

  constructor(options: FollowerOptions) {
    this.#options = options;
    const { cursor, version } = options.keeper.state;
    this.#readAt = cursor;
    this.#watermark = cursor;
    this.#version = version;
  }

  get status(): FollowStatus {
    return { unsettled: this.#wants.size, settled: this.#settled, dead: this.#dead, cursor: this.#watermark };
  }

  /** Follows until everything that was acknowledged before is settled, and the cursor stands behind it. */
  async catchUp(): Promise<Halt | null> {
    for (let more = true; more && !this.#stopped;) {
      const halt = await this.#read(0);
      if (halt !== null && 'kind' in halt) return this.#halted(halt);
      more = halt.more;
    }
    await this.settle();
    return null;
  }

  /** Follows until it is stopped; looks in on `tick` about twice a second. */
  async follow(tick: () => Promise<void>): Promise<Halt | null> {
    while (!this.#stopped) {
      const read = await this.#read(saveEveryMs);
      if ('kind' in read) return this.#halted(read);
      await tick();
    }
    await this.settle();
    return null;
  }

  /** Waits for everything that was read, or, once stopped, for what is under way; then writes the cursor. */
  async settle(): Promise<void> {
    await this.#until(() => this.#running.size === 0 && (this.#wants.size === 0 || this.#stopped));
    await this.#advance(true);
  }

  get #stopped(): boolean {
    return this.#options.stop?.aborted === true;
  }

  async #halted(halt: Halt): Promise<Halt> {
    await this.settle();
    return halt;
  }

  /** Reads the next changes as soon as there is room for them. */
  async #read(waitMs: number): Promise<Halt | { readonly more: boolean }> {
    const { changeFeed, stop, batch, keeper } = this.#options;
    if (this.#isFull(1)) await this.#until(() => !this.#isFull(2) || this.#stopped);
    batch.signal?.throwIfAborted();
    const signal = stop ?? batch.signal;
    // While there is work, its end is waited for as well: the cursor must not lag behind it.
    const wait = this.#wants.size > 0 ? Math.min(waitMs, 50) : waitMs;
    const read = await changeFeed.read(this.#readAt, keysAtOnce, { waitMs: wait, ...(signal && { signal }) });
    if (read.kind !== 'changes') return read;
    await batch.reached?.('before-batch');
    this.#take(read.changes, read.cursor);
    this.#readAt = read.cursor;
    // A position before the first document is read is worth nothing unless it is kept before that read.
    await this.#advance(keeper.state.cursor === null);
    return { more: read.more };
  }

  #isFull(part: number): boolean {
    return this.#wants.size * part > mostUnsettled || this.#bytes * part > mostBytes;
  }

  #take(changes: readonly Change[], cursor: Cursor): void {
    const page: Page = { cursor, open: 0 };
    const newest = new Map<string, Change>();
    for (const change of changes) newest.set(Ledger.key(change.key), change);
    for (const [name, { key, version }] of newest) {
      let want = this.#wants.get(name);
      if (want === undefined) {
        want = { key, waiting: [] };
        this.#wants.set(name, want);
        this.#queue.push(want);
        this.#bytes += name.length + bytesBeside;
      }
      want.waiting.push({ page, version });
      page.open += 1;
    }
    this.#pages.push(page);
    this.#work();
  }

  /** Starts batches while there are keys and lanes for them. */
  #work(): void {
    const lanes = this.#options.lanes();
    const keys = this.#options.keysOf(this.#queue.length);
    while (this.#queue.length > 0 && this.#running.size < lanes && !this.#stopped && this.#failure === null) {
      const wants = this.#queue.splice(0, keys);
      const running: Promise<void> = this.#apply(wants)
        .catch((error: unknown) => {
          this.#failure ??= { error };
        })
        .finally(() => {
          this.#running.delete(running);
          this.#work();
          this.#wake?.();
        });
      this.#running.add(running);
    }
  }

  async #apply(wants: readonly Want[]): Promise<void> {
    const changes = wants.map(({ key, waiting }) => ({ key, version: Math.max(...waiting.map(({ version }) => version)) }));
    const { batch, progress } = this.#options;
    await this.#options.apply(changes, (keys) => {
      for (const key of keys) this.#settle(key);
      progress?.(this.#settled, this.#wants.size);
      this.#wake?.();
    });
    await batch.reached?.('after-batch');
  }

  #settle({ key, version, dead }: SettledKey): void {
    const name = Ledger.key(key);
    const want = this.#wants.get(name)!;
    const open = want.waiting.filter((one) => one.version > version);
    for (const { page, version: seen } of want.waiting) if (seen <= version) page.open -= 1;
    want.waiting.length = 0;
    want.waiting.push(...open);
    this.#version = Math.max(this.#version, version);
    this.#settled += 1;
    if (dead) this.#dead += 1;
    if (open.length > 0) {
      // It changed while it was worked on.
      this.#queue.push(want);
      return;
    }
    this.#wants.delete(name);
    this.#bytes -= name.length + bytesBeside;
  }

  /** Moves the cursor to where everything before is settled, and keeps it if it is time. */
  async #advance(now: boolean): Promise<void> {
    const { keeper, batch } = this.#options;
    let settled = 0;
    while (settled < this.#pages.length && this.#pages[settled]!.open === 0) settled += 1;
    if (settled > 0) this.#watermark = this.#pages.splice(0, settled).at(-1)!.cursor;
    const kept = keeper.state.cursor;
    const at = this.#watermark;
    if (at === null || (kept?.position === at.position && kept.source === at.source)) return;
    const changed = kept?.change !== at.change || keeper.state.version !== this.#version;
    if (!now && performance.now() - this.#savedAt < (changed ? saveEveryMs : keepAliveMs)) return;
    this.#savedAt = performance.now();
    await batch.reached?.('before-cursor');
    await keeper.save({ cursor: at, version: this.#version });
    await batch.reached?.('after-cursor');
  }

  /** Waits for a condition, which is looked at whenever a batch has ended; fails with the first batch that did. */
  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== null) {
        await Promise.allSettled(this.#running);
        throw this.#failure.error;
      }
      if (condition()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }
}
