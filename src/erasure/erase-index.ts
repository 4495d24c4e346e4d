import type { DocumentKey } from '../ports/document-store.ts';
import { begunGenerations, StateKeeper } from '../index-sync/cursor.ts';
import { DeadLetters } from '../index-sync/dead-letters.ts';
import { listGenerations } from '../index-sync/generations.ts';
import { Ledger } from '../index-sync/ledger.ts';
import type { GenerationPorts } from '../index-sync/take-over.ts';

/** Removes the points of documents from every generation of every index; the ledger keeps a tombstone, which holds the id alone. Counts points. */
export async function eraseFromIndexes(keys: readonly DocumentKey[], { metadataStore, vectorIndex }: GenerationPorts): Promise<number> {
  let removed = 0;
  const known = (await listGenerations(metadataStore)).map(({ generation }) => generation);
  for (const generation of new Set([...known, ...(await begunGenerations(metadataStore))])) {
    const ledger = new Ledger(metadataStore, generation);
    const rows = (await ledger.get(keys)).filter(({ entry }) => entry !== null && (entry.points.length > 0 || entry.removing.length > 0));
    for (const { entry } of rows) {
      const ids = [...entry!.points.map(([id]) => id), ...entry!.removing];
      await vectorIndex.remove(generation, entry!.tenant, ids, Number.MAX_SAFE_INTEGER);
      removed += ids.length;
    }
    await new DeadLetters(metadataStore, generation).clear(keys);
    if (rows.length === 0) continue;
    // What the index holds is counted again by the next run.
    await (await StateKeeper.open(metadataStore, generation)).save({ totals: null });
    await ledger.replace(
      rows.map((row) => ({ row, entry: { ...row.entry!, state: 'deleted', points: [], removing: [] } })),
      'power',
    );
  }
  return removed;
}
