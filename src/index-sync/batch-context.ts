import { withoutForgotten } from '../erasure/forgotten.ts';
import type { ApplyContext } from './apply.ts';
import type { BatchContext } from './change-batch.ts';
import { DeadLetters } from './dead-letters.ts';
import { Ledger } from './ledger.ts';
import { Sweeps } from './sweeps.ts';
import type { SyncOptions, SyncPorts } from './sync.ts';
import type { RunningTotals } from './totals.ts';

/** What changes of one generation are applied with, in the process that follows them or in any other. */
export function batchContext(
  options: SyncOptions,
  ports: Omit<SyncPorts, 'changeFeed'>,
  generation: string,
  totals: RunningTotals,
  reached?: ApplyContext['reached'],
): BatchContext {
  const { metadataStore } = ports;
  const { signal, count, terms, clean, chunk, rescan } = options;
  return {
    ...ports,
    generation,
    ledger: new Ledger(metadataStore, generation),
    sweeps: new Sweeps(metadataStore, generation),
    deadLetters: new DeadLetters(metadataStore, generation),
    maker: withoutForgotten({ clean, chunk }, metadataStore, count),
    totals,
    terms,
    signal,
    audit: rescan,
    ...(count && { count }),
    ...(reached && { reached }),
  };
}
