import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { DocumentKey, DocumentStore } from '../ports/document-store.ts';
import type { StoredPoint } from '../ports/vector-index.ts';
import type { Change } from '../ports/change-feed.ts';
import { batchContext } from './batch-context.ts';
import { applyChanges, type BatchContext, type SettledKey } from './change-batch.ts';
import { generationIn, newState, StateKeeper, type SyncState } from './cursor.ts';
import type { DeadLetters } from './dead-letters.ts';
import { nameOf } from './fingerprint.ts';
import { batchKeys, Follower, type FollowStatus, type Halt } from './follower.ts';
import { HandOver } from './hand-over.ts';
import { Ledger } from './ledger.ts';
import type { Sweeps } from './sweeps.ts';
import type { SyncOptions, SyncPorts } from './sync.ts';
import { countLedger, RunningTotals, type Totals } from './totals.ts';

/** Points read from the index at once. */
const pointsAtOnce = 1000;
const sweepKeys = 128;
const unsettledKeys = 512;
/** Keys in a batch for a worker, at least. */
const fewestKeys = 16;

/** One generation of an index that is kept in step by this process. */
export class GenerationSync {
  readonly generation: string;
  readonly #options: SyncOptions;
  readonly #ports: SyncPorts;
  readonly #keeper: StateKeeper;
  readonly #ledger: Ledger;
  readonly #sweeps: Sweeps;
  readonly #batch: BatchContext;
  readonly #handOver: HandOver | null;
  #follower: Follower;
  #total: number | undefined;
  /** The ledger held something that no totals were kept of. */
  #recount: boolean;

  private constructor(options: SyncOptions, ports: SyncPorts, keeper: StateKeeper, recount: boolean) {
    this.#options = options;
    this.#ports = ports;
    this.#keeper = keeper;
    this.#recount = recount;
    this.generation = generationIn(nameOf(options.index, options.fingerprint), keeper.state);
    const { reached, workers, log } = options;
    const totals = new RunningTotals(keeper.state.totals ?? undefined, keeper.state.countedBy);
    this.#batch = batchContext(options, ports, this.generation, totals, async (point) => {
      // Until the end only the ledger knows what the index holds.
      if (point === 'after-read' && this.state.totals !== null) await this.save({ totals: null });
      await reached?.(point);
    });
    this.#ledger = this.#batch.ledger;
    this.#sweeps = this.#batch.sweeps;
    this.#handOver = workers ? new HandOver(workers, this.generation, log ?? (() => undefined)) : null;
    this.#follower = this.#newFollower();
  }

  /** Takes hold of the generation that options name; refuses one whose changes have a gap, unless every document is to be read again. */
  static async open(options: SyncOptions, ports: SyncPorts): Promise<GenerationSync> {
    const name = nameOf(options.index, options.fingerprint);
    const keeper = await StateKeeper.open(ports.metadataStore, name);
    const generation = generationIn(name, keeper.state);
    if (options.rescan) await prepareRescan(keeper, generation, ports, options);
    else await refuseGap(keeper, options.index, ports);
    const taken = generationIn(name, keeper.state);
    await ports.vectorIndex.ensure(taken, ports.embedder.dimension);
    const isEmpty = await new Ledger(ports.metadataStore, taken).isEmpty();
    if (keeper.state.cursor === null && !isEmpty && !keeper.state.sweep) await keeper.save({ sweep: true });
    return new GenerationSync(options, ports, keeper, keeper.state.totals === null && !isEmpty);
  }

  get state(): SyncState {
    return this.#keeper.state;
  }

  get status(): FollowStatus {
    return this.#follower.status;
  }

  save(change: Partial<SyncState>): Promise<void> {
    return this.#keeper.save(change);
  }

  /** Applies every change since the cursor; from a first read on, what the ledger knows and the store does not goes as well. */
  async catchUp(): Promise<void> {
    const { documentStore, changeFeed } = this.#ports;
    if (this.state.cursor === null) this.#total = await documentStore.count();
    await this.#handOver?.isServed();
    await this.#sweeps.run(this.#ports.vectorIndex);
    for (let halt = await this.#follower.catchUp(); halt !== null; halt = await this.#follower.catchUp()) await this.#goOn(halt);
    if (this.#options.stop?.aborted) return;
    await this.retryDead();
    if (this.state.sweep || !changeFeed.capabilities.deletes) await this.sweep();
    if (this.#options.rescan) await this.#removeStrangers();
    if (this.state.gap !== null) await this.save({ gap: null });
  }

  /** Documents of which nobody can say yet whether they are as they should be: changed since the cursor, or dead letters. */
  async unsettled(): Promise<ReadonlySet<string>> {
    const keys = new Set<string>();
    for (let cursor = this.state.cursor, more = cursor !== null; more;) {
      const read = await this.#ports.changeFeed.read(cursor, unsettledKeys);
      if (read.kind !== 'changes') break;
      ({ cursor, more } = read);
      for (const { key } of read.changes) keys.add(Ledger.key(key));
    }
    for await (const letters of this.#batch.deadLetters.all())
      for (const { tenant, document } of letters) keys.add(Ledger.key({ tenant, id: document }));
    return keys;
  }

  /** Follows changes until it is stopped. */
  async follow(tick: (status: FollowStatus) => Promise<void>): Promise<void> {
    while (!this.#options.stop?.aborted) {
      const halt = await this.#follower.follow(() => tick(this.#follower.status));
      if (halt === null) return;
      await this.#goOn(halt);
      await this.catchUp();
    }
  }

  /** The totals, kept with the cursor for the next time. */
  async finish(): Promise<Totals> {
    const totals = this.#recount || this.#batch.totals.doubtful ? await countLedger(this.#ledger) : this.#batch.totals.totals;
    if (this.state.totals === null) await this.save({ totals, countedBy: this.#batch.totals.writer });
    return totals;
  }

  /** The documents that were put aside. */
  get deadLetters(): DeadLetters {
    return this.#batch.deadLetters;
  }

  /** Tries dead letters again for which that was asked; what became of them. */
  async retryDead(): Promise<{ readonly settled: number; readonly dead: number }> {
    const asked = await this.deadLetters.asked();
    const outcome = { settled: 0, dead: 0 };
    for (let start = 0; start < asked.length; start += sweepKeys) {
      const changes = asked.slice(start, start + sweepKeys).map((key) => ({ key, version: 0 }));
      await applyChanges(changes, this.#batch, (keys) => {
        for (const { dead } of keys) outcome[dead ? 'dead' : 'settled'] += 1;
      });
    }
    return outcome;
  }

  /** Hears no longer of what was handed over. */
  async close(): Promise<void> {
    await this.#handOver?.close();
  }

  /** Removes what superseded writers may have left, as far as it is due. */
  async runSweeps(): Promise<void> {
    await this.#sweeps.run(this.#ports.vectorIndex);
  }

  /** Removes the points of documents that the ledger knows and the store does not. */
  async sweep(): Promise<void> {
    for await (const entries of this.#ledger.entries()) {
      const live = entries.filter(({ state }) => state !== 'deleted').map(({ tenant, document }) => ({ tenant, id: document }));
      const gone = await goneFrom(this.#ports.documentStore, live);
      for (let start = 0; start < gone.length; start += sweepKeys) {
        const keys = gone.slice(start, start + sweepKeys).map((key) => ({ key, version: 0 }));
        await applyChanges(keys, this.#batch, () => undefined);
      }
    }
    if (this.state.sweep) await this.save({ sweep: false });
  }

  get #slots(): number {
    return this.#handOver?.slots ?? 0;
  }

  /** Applies changes where somebody has time for them. */
  async #apply(changes: readonly Change[], settled: (keys: readonly SettledKey[]) => void): Promise<void> {
    const end = (await this.#handOver?.isServed()) === true ? await this.#handed(changes) : null;
    if (end === null) return applyChanges(changes, this.#batch, settled);
    for (const [name, amount] of Object.entries(end.counts)) this.#options.count?.(name, amount);
    settled(end.settled);
  }

  /** What workers write is in the ledger alone: totals have to be counted there. */
  async #handed(changes: readonly Change[]): ReturnType<HandOver['hand']> {
    this.#batch.totals.doubt();
    if (this.state.totals !== null) await this.save({ totals: null });
    return this.#handOver!.hand(changes, this.#options.signal);
  }

  #newFollower(): Follower {
    const { lanes = 2, stop, progress } = this.#options;
    return new Follower({
      changeFeed: this.#ports.changeFeed,
      keeper: this.#keeper,
      batch: this.#batch,
      apply: (changes, settled) => this.#apply(changes, settled),
      lanes: () => Math.max(lanes, this.#slots),
      // Few large batches fill the embedder of this process; workers share what there is.
      keysOf: (waiting) => (this.#slots === 0 ? batchKeys : Math.min(batchKeys, Math.max(fewestKeys, Math.ceil(waiting / this.#slots)))),
      stop,
      progress: (settled, unsettled) => progress?.(settled, Math.max(this.#total ?? 0, settled + unsettled)),
    });
  }

  /** Goes on after something befell a whole collection, where the policy lets it; a gap is for a person. */
  async #goOn(halt: Halt): Promise<void> {
    const { index, onNamespaceChange = 'hold', log } = this.#options;
    if (halt.kind === 'gap-detected') {
      const gap = { message: halt.message, at: await this.#ports.metadataStore.now(), otherStore: halt.otherStore === true };
      await this.save({ gap });
      throw gapDetected(index, halt.message);
    }
    if (onNamespaceChange === 'hold') throw new ProblemError(held(index, halt.message));
    log?.(`${halt.message}: every document is read again, and what is gone is removed`);
    await this.save({ cursor: null, sweep: true });
    this.#follower = this.#newFollower();
  }

  /** Removes points that the ledger does not know. A page of the index is read before the ledger, and nothing newer than that page is removed. */
  async #removeStrangers(): Promise<void> {
    const { vectorIndex } = this.#ports;
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: readonly StoredPoint[] = await vectorIndex.scroll(this.generation, after, pointsAtOnce);
      after = page.length < pointsAtOnce ? undefined : page.at(-1)?.id;
      const owners = new Map(page.map(({ tenant, document }) => [Ledger.key({ tenant, id: document }), { tenant, id: document }]));
      const known = new Set<string>();
      for (const { entry } of await this.#ledger.get([...owners.values()]))
        for (const id of [...(entry?.points.map(([point]) => point) ?? []), ...(entry?.removing ?? [])]) known.add(id);
      const strangers = page.filter(({ id }) => !known.has(id));
      for (const { id, tenant, version } of strangers) await vectorIndex.remove(this.generation, tenant, [id], version);
      if (strangers.length > 0) this.#options.count?.('points-removed', strangers.length);
    }
  }
}

/** Keys under which the store holds nothing, not even something that is no document. */
async function goneFrom(store: DocumentStore, keys: readonly DocumentKey[]): Promise<readonly DocumentKey[]> {
  const reads = await store.get(keys);
  return reads.filter(({ document, problem }) => document === null && problem === undefined).map(({ key }) => key);
}

/** A gap that is known, or that shows without reading a change. */
async function refuseGap(keeper: StateKeeper, index: string, { documentStore, metadataStore }: SyncPorts): Promise<void> {
  const { gap, cursor, version } = keeper.state;
  if (gap !== null) {
    const isBack = gap.otherStore && cursor !== null && (await documentStore.identity()) === cursor.source;
    if (!isBack) throw gapDetected(index, gap.message);
    await keeper.save({ gap: null });
  }
  if (version === 0 || (await documentStore.identity()) !== cursor?.source) return;
  const now = await documentStore.now();
  if (now >= version) return;
  const message = `The document store stands at version ${now}, and the index holds what was read at version ${version}: an older copy was put in its place`;
  await keeper.save({ gap: { message, at: await metadataStore.now(), otherStore: false } });
  throw gapDetected(index, message);
}

/** A state from which every document is read again; where versions of the store began anew, a new generation must take over. */
async function prepareRescan(keeper: StateKeeper, generation: string, ports: SyncPorts, { log }: SyncOptions): Promise<void> {
  const { state } = keeper;
  const isAnother = state.cursor !== null && state.cursor.source !== (await ports.documentStore.identity());
  const rebuilds = isAnother || (await ports.documentStore.now()) < state.version;
  if (rebuilds)
    log?.(`The document store is not the one that ${generation} was made from, or has gone back in time: the index is built anew`);
  const { gap, epoch } = state;
  await keeper.save(rebuilds ? { ...newState, gap, epoch, rebuilds: state.rebuilds + 1 } : { cursor: null, totals: null, sweep: true });
}

/** The problem of changes that can no longer be read. */
export function gapDetected(index: string, message: string): ProblemError {
  return new ProblemError({
    reason: 'gap-detected',
    message: `Changes that the index ${index} has not seen can no longer be read: ${message}`,
    hint: 'Nothing was changed. See what would be done about it, then have every document read again: twin reconcile',
    exit: 4,
  });
}

function held(index: string, message: string): Problem {
  return {
    reason: 'namespace-held',
    message: `${message}: the index ${index} keeps its points until a person decides`,
    expected: 'collections that stay, or the policy purge',
    hint: 'Have every document read again, and what is gone removed: twin reconcile. To always do so: --set sync-index.onNamespaceChange=purge',
    exit: 4,
  };
}
