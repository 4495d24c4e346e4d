import type { DocumentKey } from './document-store.ts';

/** What a queue carries: keys, never data, so that it may be emptied at any time and filled again from the journal. */
export type WorkItem =
  | { readonly kind: 'attempt'; readonly key: string }
  | { readonly kind: 'change-batch'; readonly source: string; readonly keys: readonly DocumentKey[] };

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
