import type { AttemptEnd, AttemptEvent, AttemptRow } from '../../contracts/attempt.ts';
import type { RunEvent } from '../../contracts/events/run.ts';
import type { Holder } from '../../contracts/run.ts';
import { openRunsTable } from '../../history/tables.ts';
import type { MetadataStore } from '../../ports/metadata-store.ts';
import type { WorkItem, WorkQueue } from '../../ports/work-queue.ts';
import { classify, problemOf } from '../failure.ts';
import type { Hold } from './held-items.ts';
import { type WorkerSurroundings, runRemoteAttempt } from './remote-attempt.ts';
import { endedLane, itemKey, parseItemKey, poolLane, readAttempts, type StoredAttempt, writeAttempt, writeEvents } from './tables.ts';

/** How often a worker looks whether its attempts are still its own, and passes on what they said. */
const lookMs = 1000;

/** What a worker tells the person who started it. */
export type WorkerEvent =
  | { readonly type: 'taken'; readonly row: AttemptRow }
  | {
      readonly type: 'ended';
      readonly row: AttemptRow;
      readonly how: 'committed' | 'failed' | 'fenced-out' | 'returned';
      readonly found?: string;
    };

/** What a worker works with. */
export interface HostWorkerOptions extends WorkerSurroundings {
  readonly queue: WorkQueue;
  readonly pool: string;
  readonly concurrency: number;
  /** This worker: its id is alive in the table of workers as long as `signal` has not aborted. */
  readonly id: string;
  readonly holder: Holder;
  /** Aborts when the worker shall end, or has lost its lease. */
  readonly signal: AbortSignal;
  readonly tell: (event: WorkerEvent) => void;
  readonly hold: Hold;
}

/** Takes attempts of a pool out of the queue and does them until the signal aborts; what runs then goes back to the queue. */
export async function workForRuns(options: HostWorkerOptions): Promise<void> {
  const { queue, pool, concurrency, signal } = options;
  const handle = async (item: WorkItem): Promise<void> => {
    if (item.kind === 'attempt') await take(options, item.key);
  };
  await queue.consume(handle, { concurrency, signal, lane: poolLane(pool) });
}

/** Takes an attempt by raising its fence, does it, and commits under that fence: a later holder's fence refuses the commit. */
async function take(options: HostWorkerOptions, item: string): Promise<void> {
  const { id: worker, holder, tell, hold } = options;
  const { metadata } = options.stores;
  const { id, fence } = parseItemKey(item);
  const [[found], [open]] = await Promise.all([
    readAttempts(metadata, [id]),
    metadata.get(openRunsTable, [id.slice(0, id.lastIndexOf('/'))]),
  ]);
  // Done, taken or withdrawn meanwhile: a queue may hand the same item out twice.
  if (!found || found.row.state !== 'queued' || found.row.fence !== fence) return;
  // Its run has ended, or its process has died and another one has closed it.
  if (!open) return void (await writeAttempt(metadata, { ...found, row: null }));
  const row: AttemptRow = { ...found.row, state: 'running', fence: fence + 1, worker: { id: worker, holder } };
  const revision = await writeAttempt(metadata, { id, revision: found.revision, row });
  if (revision === null) return;
  tell({ type: 'taken', row });
  await hold(itemKey(id, row.fence), () => finish(options, { id, revision, row }));
}

/** Does an attempt that this worker has taken, and says what it came to. */
async function finish(options: HostWorkerOptions, held: StoredAttempt): Promise<void> {
  const { stores, tell, signal, queue } = options;
  const { metadata } = stores;
  const { id, revision, row } = held;
  const words = gatherEvents(metadata, `${id}/${String(row.fence).padStart(6, '0')}`);
  const end = await doAttempt(options, held, words);
  const { pool, run } = row;
  if (end === null) {
    const back: AttemptRow = { ...row, state: 'queued', worker: null };
    const returned = signal.aborted && (await writeAttempt(metadata, { id, revision, row: back })) !== null;
    if (returned) await queue.enqueue([{ kind: 'attempt', key: itemKey(id, row.fence) }], poolLane(pool)).catch(() => undefined);
    return tell({ type: 'ended', row, how: returned ? 'returned' : 'fenced-out' });
  }
  const committed = await writeAttempt(metadata, { id, revision, row: { ...row, state: 'done', end, words: words.written() } });
  if (committed === null) return tell({ type: 'ended', row, how: 'fenced-out' });
  tell({ type: 'ended', row, how: end.ok ? 'committed' : 'failed', ...(!end.ok && { found: end.problem.message }) });
  // The run looks at the journal in any case; this only makes it quick.
  await queue.enqueue([{ kind: 'attempt', key: itemKey(id, row.fence) }], endedLane(run)).catch(() => undefined);
}

/** What the attempt came to; null where it is to be given back or is this worker's no longer. */
async function doAttempt(
  options: HostWorkerOptions,
  held: StoredAttempt,
  words: ReturnType<typeof gatherEvents>,
): Promise<AttemptEnd | null> {
  const { metadata } = options.stores;
  const fencedOut = new AbortController();
  const signal = AbortSignal.any([options.signal, fencedOut.signal]);
  let looking = Promise.resolve();
  let busy = false;
  const look = async (): Promise<void> => {
    await words.flush();
    const [now] = await readAttempts(metadata, [held.id]);
    if (now?.revision !== held.revision) fencedOut.abort(new Error('Another worker holds this attempt, or its run is over'));
  };
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    looking = look()
      .catch(() => undefined)
      .finally(() => (busy = false));
  }, lookMs);
  try {
    const made = await runRemoteAttempt(options, held.row, signal, words.emit);
    return signal.aborted ? null : { ok: true, made };
  } catch (error) {
    if (signal.aborted) return null;
    return { ok: false, problem: problemOf(error, held.row.address), failure: classify(error) };
  } finally {
    clearInterval(timer);
    await looking;
    await words.flush().catch(() => undefined);
  }
}

/** Gathers what a step says, so that a talkative one costs a write a second. */
function gatherEvents(store: MetadataStore, prefix: string) {
  let gathered: AttemptEvent[] = [];
  let count = 0;
  return {
    emit(event: RunEvent): void {
      if (event.type !== 'step-log' && event.type !== 'step-progress') return;
      // Of progress only the newest counts.
      if (event.type === 'step-progress') gathered = gathered.filter((each) => each.type !== 'step-progress');
      gathered.push(event);
    },
    written: (): number => count,
    async flush(): Promise<void> {
      const events = gathered;
      gathered = [];
      if (events.length > 0) await writeEvents(store, `${prefix}/${String(++count).padStart(8, '0')}`, events);
    },
  };
}
