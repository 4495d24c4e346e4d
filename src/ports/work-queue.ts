import type { Change } from './change-feed.ts';
import type { DocumentKey, Version } from './document-store.ts';

/** What a queue carries: keys, never data, so that it may be emptied at any time and filled again from the journal. */
export type WorkItem = { readonly kind: 'attempt'; readonly key: string } | ChangeBatchItem | ChangeBatchEnd;

/** Changed keys that a worker shall apply to a generation of an index: each document read no older than its change. */
export interface ChangeBatchItem {
  readonly kind: 'change-batch';
  /** `<who follows the changes>/<number>`. */
  readonly batch: string;
  /** How often it has been handed over, this time counted. */
  readonly handed: number;
  readonly pipeline: string;
  readonly generation: string;
  readonly changes: readonly Change[];
}

/** What a batch came to. */
export interface ChangeBatchEnd {
  readonly kind: 'change-batch-end';
  readonly batch: string;
  /** Each key, with the version at which it was read, and whether it had to be put aside. */
  readonly settled: readonly { readonly key: DocumentKey; readonly version: Version; readonly dead: boolean }[];
  readonly counts: Readonly<Record<string, number>>;
  /** Why the worker did not do it; null where all is settled. */
  readonly refused: string | null;
}

/** How items are taken out of a queue. */
export interface Consumption {
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** The lane that items are taken from; `default` where absent. */
  readonly lane?: string;
}

/** Hands work to whoever is free. Delivery is at least once. Items wait in lanes, each with consumers of its own. */
export interface WorkQueue {
  readonly capabilities: { readonly shared: boolean };
  /** Throws at once where the queue is out of reach: whoever enqueues knows from the journal what to enqueue later. */
  enqueue(items: readonly WorkItem[], lane?: string): Promise<void>;
  /** Runs `handle` for items until `signal` aborts, at most `concurrency` at a time; resolves when the last has ended. */
  consume(handle: (item: WorkItem, signal: AbortSignal) => Promise<void>, consumption: Consumption): Promise<void>;
  close(): Promise<void>;
}
