import type { IndexState, IndexVerdict } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ChangeFeed } from '../ports/change-feed.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import type { SyncPoint } from './apply.ts';
import type { EmbeddingPorts } from './embedding-cache.ts';
import type { IndexFingerprint } from './fingerprint.ts';
import type { GateFloors } from './gate.ts';
import { GenerationSync } from './generation-sync.ts';
import type { ChangeWorkers } from './hand-over.ts';
import type { ChunkMaker } from './prepare.ts';
import { readIndexState } from './read-index-state.ts';
import { takeAlias } from './take-alias.ts';

/** Ports that keep an index in step with the documents. */
export interface SyncPorts extends EmbeddingPorts {
  readonly changeFeed: ChangeFeed;
  readonly documentStore: DocumentStore;
  readonly vectorIndex: VectorIndex;
}

/** What happens to the points of a collection that was dropped, renamed or replaced: they stay until a person decides, or they go at once. */
export type NamespacePolicy = 'hold' | 'purge';

/** What is to be kept in step, and how. */
export interface SyncOptions extends ChunkMaker {
  /** The alias that readers use. */
  readonly index: string;
  readonly fingerprint: IndexFingerprint;
  /** Makes sparse terms of a text. */
  terms(text: string): readonly string[];
  /** Read every document again, whatever the cursor says; write what the index does not hold although the ledger says so, and remove what the store no longer holds. */
  readonly rescan: boolean;
  /**
   * When the process began that wants this fingerprint, by the clock of the store; when it opened the generation where absent. Whoever took the
   * index over since knows better: an old process that still runs feeds its own generation and does not take the index back.
   */
  readonly startedAt?: number;
  /** What a new generation must show, and how long the one before is kept. */
  readonly floors?: GateFloors;
  readonly keepMs?: number;
  /** `hold` where absent. */
  readonly onNamespaceChange?: NamespacePolicy;
  /** Batches of changes that are worked on at once; 2 where absent. */
  readonly lanes?: number;
  /** Workers on other hosts that apply changes; this process alone does where absent, and where none of them is alive. */
  readonly workers?: ChangeWorkers;
  readonly signal?: AbortSignal;
  /** Once it aborts, no further batch is begun and those under way are finished. */
  readonly stop?: AbortSignal;
  count?(name: string, amount: number): void;
  log?(message: string): void;
  progress?(done: number, total?: number): void;
  /** Called between effects; tests end the process there. */
  reached?(point: SyncPoint): void | Promise<void>;
}

/** What readers find now, and whether the generation that was brought in step may be what they find. */
export interface Synced {
  readonly state: IndexState;
  readonly verdict: IndexVerdict;
}

/**
 * Brings an index in step with the documents: every change since the cursor, deletes too. A generation that is not the one
 * that readers find takes over when it passes the gate; the one before is kept for a while.
 * Nothing is lost if it dies anywhere; the next call goes on. A gap in the changes is a problem, `gap-detected`, that a person must decide.
 */
export async function followChanges(options: SyncOptions, ports: SyncPorts): Promise<Synced> {
  const startedAt = options.startedAt ?? (await ports.metadataStore.now());
  const sync = await GenerationSync.open(options, ports);
  await sync.catchUp();
  const totals = await sync.finish();
  const verdict = await takeAlias(sync, { ...options, startedAt }, ports);
  const { index } = options;
  if (verdict.verdict === 'pass') return { verdict, state: { index, generation: sync.generation, ...totals } };
  const state = await readIndexState(index, ports);
  if (state !== null) return { verdict, state };
  throw new ProblemError({
    reason: 'index-refused',
    message: `The first generation of the index ${index} is not what the documents say: ${verdict.reasons.join('; ')}`,
    hint: 'Build it anew: twin run feature-pipeline --force sync-index',
    exit: 3,
  });
}
