import type { DocumentKey } from './document-store.ts';

/** What a queue carries: keys, never data, so that it may be emptied at any time and filled again from the journal. */
export type WorkItem =
  | { readonly kind: 'attempt'; readonly key: string }
  | { readonly kind: 'change-batch'; readonly source: string; readonly keys: readonly DocumentKey[] };

/** Hands work to whoever is free. Delivery is at least once. */
export interface WorkQueue {
  readonly capabilities: { readonly shared: boolean };
  enqueue(items: readonly WorkItem[]): Promise<void>;
  /** Runs `handle` for items until `signal` aborts, at most `concurrency` at a time; resolves when the last has ended. */
  consume(
    handle: (item: WorkItem, signal: AbortSignal) => Promise<void>,
    options: { readonly concurrency: number; readonly signal: AbortSignal },
  ): Promise<void>;
  close(): Promise<void>;
}
