import type { IndexState } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ChangeFeed, Cursor } from '../ports/change-feed.ts';
import type { DocumentKey, DocumentStore, Version } from '../ports/document-store.ts';
import type { StoredPoint, VectorIndex } from '../ports/vector-index.ts';
import { applyDocuments, type ApplyContext, type PreparedDocument, type SyncPoint } from './apply.ts';
import { fingerprintedName, generationIn, newState, readState, writeState, type SyncState } from './cursor.ts';
import type { EmbeddingPorts } from './embedding-cache.ts';
import { nameOf, type IndexFingerprint } from './fingerprint.ts';
import { Ledger } from './ledger.ts';
import { prepareDocuments, type ChunkMaker } from './prepare.ts';
import { readAhead } from './read-ahead.ts';
import { countLedger, RunningTotals } from './totals.ts';

/** Ports that keep an index in step with the documents. */
export interface SyncPorts extends EmbeddingPorts {
  readonly changeFeed: ChangeFeed;
  readonly documentStore: DocumentStore;
  readonly vectorIndex: VectorIndex;
}

/** What is to be kept in step, and how. */
export interface SyncOptions extends ChunkMaker {
  /** The alias that readers use. */
  readonly index: string;
  readonly fingerprint: IndexFingerprint;
  /** Makes sparse terms of a text. */
  terms(text: string): readonly string[];
  /** Read every document again, whatever the cursor says; write what the index does not hold although the ledger says so, and remove what the store no longer holds. */
  readonly rescan: boolean;
  readonly signal?: AbortSignal;
  count?(name: string, amount: number): void;
  log?(message: string): void;
  progress?(done: number, total?: number): void;
  /** Called between effects; tests end the process there. */
  reached?(point: SyncPoint): void | Promise<void>;
}

/** Keys read from the change feed and points from the index at once, and tries for a key that another writer keeps changing. */
const keysAtOnce = 512;
const pointsAtOnce = 1000;
const tries = 5;

/**
 * Brings an index in step with the documents: every change since the cursor, deletes too, then the alias.
 * Nothing is lost if it dies anywhere; the next call goes on. A gap in the changes is a problem, `gap-detected`, that a person must decide.
 */
export async function followChanges(options: SyncOptions, ports: SyncPorts): Promise<IndexState> {
  const { index, reached } = options;
  const { vectorIndex, metadataStore, embedder } = ports;
  const name = nameOf(index, options.fingerprint);
  let state = await readState(metadataStore, name);
  if (options.rescan) state = await prepareRescan(state, name, ports, options);
  const generation = generationIn(name, state);
  const ledger = new Ledger(metadataStore, generation);
  await vectorIndex.ensure(generation, embedder.dimension);

  const sync = new Sync(options, ports, generation, ledger, state);
  await sync.drain();
  const totals = await sync.finish();

  const current = await vectorIndex.alias(index);
  if (current !== generation) {
    await sync.save({ replaces: current });
    if (!(await vectorIndex.moveAlias(index, current, generation))) {
      throw new ProblemError({
        reason: 'alias-moved',
        message: `The alias ${index} was moved by another process`,
        hint: 'Run it again',
        exit: 1,
      });
    }
    await reached?.('after-alias');
  }
  if (sync.state.replaces !== null) {
    await dropGeneration(sync.state.replaces, generation, ports);
    await sync.save({ replaces: null });
  }
  return { index, generation, ...totals };
}

/** Removes a generation that another one has replaced: its points, its ledger, and its cursor unless they share it. */
async function dropGeneration(generation: string, by: string, { vectorIndex, metadataStore }: SyncPorts): Promise<void> {
  await vectorIndex.drop(generation);
  await new Ledger(metadataStore, generation).clear();
  if (fingerprintedName(generation) !== fingerprintedName(by)) await writeState(metadataStore, generation, null);
}

/** A state from which every document is read again; where versions of the store began anew, a new generation must take over. */
async function prepareRescan(state: SyncState, name: string, ports: SyncPorts, { log }: SyncOptions): Promise<SyncState> {
  const head = await ports.changeFeed.head(null);
  const isAnother = state.cursor !== null && state.cursor.source !== head?.source;
  const rebuilds = isAnother || (await ports.documentStore.now()) < state.version;
  if (rebuilds)
    log?.(
      `The document store is not the one that ${generationIn(name, state)} was made from, or has gone back in time: the index is built anew`,
    );
  const rescan = rebuilds ? { ...newState, rebuilds: state.rebuilds + 1 } : { ...state, cursor: null, totals: null };
  await writeState(ports.metadataStore, name, rescan);
  return rescan;
}

/** One catching up of one generation. */
class Sync {
  state: SyncState;
  readonly #options: SyncOptions;
  readonly #ports: SyncPorts;
  readonly #generation: string;
  readonly #ledger: Ledger;
  readonly #context: ApplyContext;
  /** The highest version that was read. */
  #version: Version;
  #done = 0;
  #total: number | undefined;
  /** Another writer was there: totals kept along the way would be wrong. */
  #recount = false;

  constructor(options: SyncOptions, ports: SyncPorts, generation: string, ledger: Ledger, state: SyncState) {
    this.#options = options;
    this.#ports = ports;
    this.#generation = generation;
    this.#ledger = ledger;
    this.state = state;
    this.#version = state.version;
    const { terms, signal, count, reached } = options;
    this.#context = {
      generation,
      ledger,
      terms,
      signal,
      ...(count ? { count } : {}),
      ...(reached ? { reached } : {}),
      embedder: ports.embedder,
      metadataStore: ports.metadataStore,
      vectorIndex: ports.vectorIndex,
      totals: new RunningTotals(state.totals ?? undefined),
    };
  }

  /** Applies every change after the cursor; from the first document on, what the ledger knows and the store does not goes as well. */
  async drain(): Promise<void> {
    const { changeFeed, documentStore } = this.#ports;
    if (this.#options.rescan) this.#context.stored = await this.#storedPoints();
    const sweeps = this.state.cursor === null && !(await this.#ledger.isEmpty());
    if (this.state.cursor === null) this.#total = await documentStore.count();
    this.#recount = this.state.totals === null && !(await this.#ledger.isEmpty());
    for (let cursor = this.state.cursor, more = true; more;) {
      const read = await changeFeed.read(cursor, keysAtOnce);
      if (read.kind !== 'changes') throw gapDetected(this.#options.index, read.message);
      ({ cursor, more } = read);
      if (read.changes.length > 0) {
        const keys = new Map(read.changes.map(({ key }) => [Ledger.key(key), key]));
        if (!more) this.#total = Math.max(this.#total ?? 0, this.#done + keys.size);
        await this.#apply([...keys.values()]);
      }
      await this.#advance(cursor);
    }
    if (sweeps) await this.#sweep();
    if (this.#context.stored) await this.#removeStrangers(this.#context.stored);
  }

  /** The totals, kept with the cursor for the next time. */
  async finish(): Promise<{ documents: number; points: number; setHash: string }> {
    const totals = this.#recount ? await countLedger(this.#ledger) : this.#context.totals.totals;
    if (this.state.totals === null) await this.save({ totals });
    return totals;
  }

  async save(change: Partial<SyncState>): Promise<void> {
    this.state = { ...this.state, ...change };
    await writeState(this.#ports.metadataStore, this.#generation, this.state);
  }

  /** Notes that everything up to a cursor is applied; a read that brought nothing new is not worth a write. */
  async #advance(cursor: Cursor): Promise<void> {
    const known = this.state.cursor;
    if (known?.position === cursor.position && known.source === cursor.source) return;
    await this.save({ cursor, version: this.#version });
    await this.#options.reached?.('after-cursor');
  }

  async #apply(keys: readonly DocumentKey[], dirty = false, tried = 1): Promise<void> {
    const conflicts: DocumentKey[] = [];
    for await (const documents of readAhead(prepareDocuments(keys, this.#ports.documentStore, this.#options))) {
      this.#options.signal?.throwIfAborted();
      // Until the end only the ledger knows what the index holds.
      if (this.state.totals !== null) await this.save({ totals: null });
      conflicts.push(...(await applyDocuments(documents, dirty, this.#context)));
      this.#report(documents);
    }
    if (conflicts.length === 0) return;
    this.#recount = true;
    if (tried === tries) {
      throw new ProblemError({
        reason: 'concurrent-writer',
        message: `Another process keeps changing ${conflicts.length} documents of ${this.#generation} at the same time`,
        hint: 'Stop the other process, then run it again',
        exit: 1,
      });
    }
    await this.#apply(conflicts, true, tried + 1);
  }

  #report(documents: readonly PreparedDocument[]): void {
    this.#done += documents.length;
    for (const { version } of documents) this.#version = Math.max(this.#version, version);
    this.#options.progress?.(this.#done, this.#total === undefined ? undefined : Math.max(this.#total, this.#done));
    this.#options.count?.('changes', documents.length);
    const empty = documents.filter(({ exists, points }) => exists && points.length === 0).length;
    if (empty > 0) this.#options.count?.('documents-without-points', empty);
  }

  /** Removes the points of documents that the ledger knows and the store does not. */
  async #sweep(): Promise<void> {
    for await (const entries of this.#ledger.entries()) {
      const live = entries.filter(({ state }) => state !== 'deleted').map(({ tenant, document }) => ({ tenant, id: document }));
      const reads = await this.#ports.documentStore.get(live);
      const gone = reads.filter(({ document }) => document === null).map(({ key }) => key);
      if (gone.length > 0) await this.#apply(gone);
    }
  }

  /** What the index itself holds, by id. */
  async #storedPoints(): Promise<Map<string, StoredPoint>> {
    const stored = new Map<string, StoredPoint>();
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: readonly StoredPoint[] = await this.#ports.vectorIndex.scroll(this.#generation, after, pointsAtOnce);
      for (const point of page) stored.set(point.id, point);
      after = page.length < pointsAtOnce ? undefined : page.at(-1)?.id;
    }
    return stored;
  }

  /** Removes points that stood in the index before and that the ledger does not know. */
  async #removeStrangers(stored: ReadonlyMap<string, StoredPoint>): Promise<void> {
    const strangers = new Map(stored);
    for await (const entries of this.#ledger.entries())
      for (const { points, removing } of entries) for (const id of [...points.map(([id]) => id), ...removing]) strangers.delete(id);
    // What the ledger knew was removed with its document.
    for (const { id, tenant } of strangers.values())
      await this.#ports.vectorIndex.remove(this.#generation, tenant, [id], Number.MAX_SAFE_INTEGER);
    if (strangers.size > 0) this.#options.count?.('points-removed', strangers.size);
  }
}

function gapDetected(index: string, message: string): ProblemError {
  return new ProblemError({
    reason: 'gap-detected',
    message: `Changes that the index ${index} has not seen can no longer be read: ${message}`,
    hint: 'Compare the index with the store (twin verify index), then read every document again: twin run feature-pipeline --force sync-index',
    exit: 4,
  });
}
