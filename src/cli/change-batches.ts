import type { Config } from '../config/schema.ts';
import type { Result } from '../contracts/problem.ts';
import type { Hold } from '../engine/dispatch/held-items.ts';
import { readWorkers } from '../engine/dispatch/tables.ts';
import { batchEndLane, changesLane, type ChangeWorkers } from '../index-sync/hand-over.ts';
import { applyRemoteBatch } from '../index-sync/remote-batch.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { ChangeBatchEnd, ChangeBatchItem, WorkQueue } from '../ports/work-queue.ts';
import type { CommandContext } from './context.ts';
import { type OpenedIndexSync, openIndexSync } from './index-sync.ts';
import { handsOver } from './shared-stores.ts';

/** Whether other hosts can apply changes: they reach the queue, the documents and the index. */
export function sharesChanges(config: Config): boolean {
  return handsOver(config) && config.documentStore.kind === 'mongodb' && config.vectorIndex.kind === 'qdrant';
}

/** The workers of a pool, for whoever follows changes. */
export function changeWorkers(queue: WorkQueue, journal: MetadataStore, pool: string, pipeline: string): ChangeWorkers {
  return {
    queue,
    pool,
    pipeline,
    async alive() {
      const workers = [...(await readWorkers(journal)).values()].filter((worker) => worker.pool === pool);
      const slots = workers.reduce((sum, { concurrency }) => sum + concurrency, 0);
      return { slots, holds: new Set(workers.flatMap(({ holds }) => holds)) };
    },
  };
}

/** What a worker tells of a batch. */
export type ToldBatch = (item: ChangeBatchItem, end: ChangeBatchEnd) => void;

/** Applies batches of changes that watches on other hosts hand over, until the signal aborts. */
export async function workForWatches(
  context: CommandContext,
  options: {
    readonly queue: WorkQueue;
    readonly pool: string;
    readonly concurrency: number;
    readonly signal: AbortSignal;
    readonly hold: Hold;
    readonly tell: ToldBatch;
  },
): Promise<void> {
  const { queue, pool, concurrency, signal, hold, tell } = options;
  const opened = new Map<string, ReturnType<typeof openIndexSync>>();
  /** Opened once; what stood in the way is looked at again at the next batch. */
  const open = async (pipeline: string): Promise<Result<OpenedIndexSync, string>> => {
    const opening = opened.get(pipeline) ?? openIndexSync(context, pipeline, { signal });
    opened.set(pipeline, opening);
    try {
      const outcome = await opening;
      if (outcome.ok) return outcome;
      opened.delete(pipeline);
      return { ok: false, error: outcome.error[0]!.message };
    } catch (error) {
      opened.delete(pipeline);
      return { ok: false, error: messageOf(error) };
    }
  };
  const apply = async (item: ChangeBatchItem): Promise<ChangeBatchEnd> => {
    const refusal = (refused: string): ChangeBatchEnd => ({
      kind: 'change-batch-end',
      batch: item.batch,
      settled: [],
      counts: {},
      refused,
    });
    const sync = await open(item.pipeline);
    if (!sync.ok) return refusal(sync.error);
    try {
      return await applyRemoteBatch(item, { ...sync.value.options, rescan: false, signal }, sync.value.ports);
    } catch (error) {
      // Given back: another worker takes it.
      if (signal.aborted) throw error;
      return refusal(messageOf(error));
    }
  };
  const handle = async (item: ChangeBatchItem): Promise<void> =>
    hold(item.batch, async () => {
      const end = await apply(item);
      tell(item, end);
      // Whoever follows the changes finds out in any case; this makes it quick.
      await queue.enqueue([end], batchEndLane(item.batch)).catch(() => undefined);
    });
  await queue.consume(async (item) => (item.kind === 'change-batch' ? handle(item) : undefined), {
    concurrency,
    signal,
    lane: changesLane(pool),
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
