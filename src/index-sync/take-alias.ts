import type { IndexVerdict } from '../contracts/index-state.ts';
import { withoutForgotten } from '../erasure/forgotten.ts';
import { judgeGeneration, type GateFloors } from './gate.ts';
import { type GenerationRecord, readGeneration, writeGeneration } from './generations.ts';
import type { GenerationSync } from './generation-sync.ts';
import { Ledger } from './ledger.ts';
import type { SyncOptions, SyncPorts } from './sync.ts';
import { dropOutlived, takeOver } from './take-over.ts';

const defaultFloors: GateFloors = { sample: 64, recall: 0.95 };
const defaultKeepMs = 7 * 24 * 3600 * 1000;

/** Gives readers the generation if it may have them, and drops those whose time is over; to be called once it is complete. */
export async function takeAlias(sync: GenerationSync, options: SyncOptions, ports: SyncPorts): Promise<IndexVerdict> {
  const { index, log, reached, keepMs = defaultKeepMs } = options;
  const { vectorIndex, metadataStore, embedder } = ports;
  const { generation } = sync;
  const made = { embedder: embedder.identity, dimension: embedder.dimension };
  const current = await vectorIndex.alias(index);
  const record = await readGeneration(metadataStore, index, generation);
  let verdict = record?.verdict ?? { verdict: 'pass' as const, reasons: [], generation, checks: null };
  if (current !== generation) {
    verdict = await judge(sync, current, record, options, ports);
    await reached?.('before-alias');
    if (verdict.verdict === 'refuse') {
      const since = await metadataStore.now();
      const refused = { index, generation, ...made, state: 'refused' as const, since, keptUntil: null, replaced: null };
      await writeGeneration(metadataStore, { ...refused, verdict });
    }
    if (verdict.verdict !== 'pass') return verdict;
  }
  if (current !== generation || record?.state !== 'serving')
    await takeOver({ index, generation, ...made, verdict, keepMs, ...(reached && { reached }) }, ports);
  for (const dropped of await dropOutlived(index, generation, ports)) log?.(`Dropped the generation ${dropped}`);
  return verdict;
}

/** Whether a generation may take over from the one that readers find. */
async function judge(
  sync: GenerationSync,
  current: string | null,
  record: GenerationRecord | null,
  options: SyncOptions,
  ports: SyncPorts,
): Promise<IndexVerdict> {
  const { generation } = sync;
  const { index, startedAt = Infinity, floors = defaultFloors } = options;
  const undecided = (reason: string): IndexVerdict => ({ verdict: 'undecided', reasons: [reason], generation, checks: null });
  if (record?.state === 'rolled-back') {
    const since = new Date(record.since).toISOString();
    return undecided(`${generation} was rolled back at ${since}; give it the index again with: twin index switch ${generation}`);
  }
  const serving = current === null ? null : await readGeneration(ports.metadataStore, index, current);
  if (serving !== null && serving.since > startedAt)
    return undecided(`${serving.generation} has taken the index over since this process began`);
  const ledger = new Ledger(ports.metadataStore, generation);
  return judgeGeneration(
    {
      generation,
      replaces: current,
      ledger,
      maker: withoutForgotten(options, ports.metadataStore),
      floors,
      unsettled: () => sync.unsettled(),
    },
    ports,
  );
}
