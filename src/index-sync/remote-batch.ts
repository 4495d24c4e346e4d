import type { ChangeBatchEnd, ChangeBatchItem } from '../ports/work-queue.ts';
import { batchContext } from './batch-context.ts';
import { applyChanges } from './change-batch.ts';
import { fingerprintedName } from './cursor.ts';
import { nameOf } from './fingerprint.ts';
import type { SyncOptions, SyncPorts } from './sync.ts';
import { RunningTotals } from './totals.ts';

/**
 * Applies a batch of changes for the process that follows them, if this host makes the same index of documents. What it came to goes back with
 * the end; the ledger knows it in any case, so that a batch may be applied by several hosts at once, or anew.
 */
export async function applyRemoteBatch(
  { batch, generation, changes }: ChangeBatchItem,
  options: SyncOptions,
  ports: Omit<SyncPorts, 'changeFeed'>,
): Promise<ChangeBatchEnd> {
  const end = { kind: 'change-batch-end', batch } as const;
  const own = nameOf(options.index, options.fingerprint);
  if (own !== fingerprintedName(generation)) {
    return { ...end, settled: [], counts: {}, refused: `its code, parameters or models make the generation ${own}, and not ${generation}` };
  }
  const counts: Record<string, number> = {};
  const count = (name: string, amount: number): void => void (counts[name] = (counts[name] ?? 0) + amount);
  const settled: ChangeBatchEnd['settled'][number][] = [];
  await applyChanges(changes, batchContext({ ...options, count }, ports, generation, new RunningTotals()), (keys) => settled.push(...keys));
  return { ...end, settled, counts, refused: null };
}
