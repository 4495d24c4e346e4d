import type { IndexState } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ChangeFeed } from '../ports/change-feed.ts';
import type { DocumentStore } from '../ports/document-store.ts';
import type { VectorIndex } from '../ports/vector-index.ts';
import type { SyncPoint } from './apply.ts';
import type { EmbeddingPorts } from './embedding-cache.ts';
import type { IndexFingerprint } from './fingerprint.ts';
import { GenerationSync } from './generation-sync.ts';
import type { ChunkMaker } from './prepare.ts';

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
  /** `hold` where absent. */
  readonly onNamespaceChange?: NamespacePolicy;
  /** Batches of changes that are worked on at once; 2 where absent. */
  readonly lanes?: number;
  readonly signal?: AbortSignal;
  /** Once it aborts, no further batch is begun and those under way are finished. */
  readonly stop?: AbortSignal;
  count?(name: string, amount: number): void;
  log?(message: string): void;
  progress?(done: number, total?: number): void;
  /** Called between effects; tests end the process there. */
  reached?(point: SyncPoint): void | Promise<void>;
}

/**
 * Brings an index in step with the documents: every change since the cursor, deletes too, then the alias.
 * Nothing is lost if it dies anywhere; the next call goes on. A gap in the changes is a problem, `gap-detected`, that a person must decide.
 */
export async function followChanges(options: SyncOptions, ports: SyncPorts): Promise<IndexState> {
  const sync = await GenerationSync.open(options, ports);
  await sync.catchUp();
  const totals = await sync.finish();
  await takeAlias(sync, options, ports);
  return { index: options.index, generation: sync.generation, ...totals };
}

/** Gives readers the generation, and removes the one that they had; to be called once it is complete. */
export async function takeAlias(sync: GenerationSync, { index, reached }: SyncOptions, ports: SyncPorts): Promise<void> {
  const { generation } = sync;
  const current = await ports.vectorIndex.alias(index);
  if (current !== generation) {
    await sync.save({ replaces: current });
    await reached?.('before-alias');
    if (!(await ports.vectorIndex.moveAlias(index, current, generation))) {
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
    await GenerationSync.drop(sync.state.replaces, generation, ports);
    await sync.save({ replaces: null });
  }
}
