import type { Json } from '../contracts/digest.ts';
import { maskValue } from '../contracts/masking.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { RunRecord } from '../contracts/run.ts';
import { indexRun, writeIndexes } from '../history/index-run.ts';
import { type LatestKeys, runStream } from '../history/tables.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** Records are gathered this long, so that a thousand quick steps cost a few writes; what a crash takes with it is done again. */
const gatherMs = 20;
/** Records that are written at once at the latest. */
const gatherAtMost = 256;

/** Writes a run's journal: the stream, which is the truth, and the tables derived from it. */
export interface Journal {
  /** Takes a record; it is written in order and soon, at once where it tells of work that took longer than gathering does. */
  record(record: RunRecord): void;
  /** Writes all that was taken. Throws if the journal cannot be written, or if somebody else closed the run. */
  flush(): Promise<void>;
}

/** Opens the journal of a run. `latestBefore` are the newest results of its pipeline so far; `onFailure` hears of a write that failed in the background. */
export function openJournal(store: MetadataStore, run: string, latestBefore: LatestKeys, onFailure: (error: unknown) => void): Journal {
  const index = indexRun(run, latestBefore);
  let gathered: RunRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let seq = 0;

  const write = async (records: readonly RunRecord[]): Promise<void> => {
    // The stream goes first: a table may lag behind the truth, never run ahead of it.
    const outcome = await store.append(runStream(run), seq, records as unknown as Json[]);
    if (!outcome.ok) throw closedElsewhere(run);
    seq = outcome.seq;
    await writeIndexes(store, index(records));
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const records = gathered;
    gathered = [];
    if (records.length > 0) writing = writing.then(() => write(records));
    return writing;
  };
  const flushSoon = (): void => void flush().catch(onFailure);
  return {
    flush,
    record(said) {
      const record = maskValue(said);
      gathered.push(record);
      const costly = record.type === 'step-finished' && record.durationMs > gatherMs;
      if (costly || gathered.length >= gatherAtMost) flushSoon();
      else timer ??= setTimeout(flushSoon, gatherMs);
    },
  };
}

function closedElsewhere(run: string): ProblemError {
  return new ProblemError({
    reason: 'run-closed',
    message: `Run ${run} was closed by another process, which took this one for dead`,
    hint: 'Was this machine suspended? Run the pipeline again: what was finished is a hit.',
    exit: 1,
  });
}
