import type { Json } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { PlannedStep, RunRecord, RunSummary } from '../contracts/run.ts';
import {
  type LatestKeys,
  latestAfter,
  latestTable,
  openRunsTable,
  producerKey,
  producersTable,
  resultOf,
  resultsTable,
  runStream,
  runsTable,
  startedSummary,
} from '../history/tables.ts';
import type { MetadataStore, RowWrite } from '../ports/metadata-store.ts';

/** Records are gathered this long, so that a thousand quick steps cost a few writes; what a crash takes with it is done again. */
const gatherMs = 20;
/** Records that are written at once at the latest. */
const gatherAtMost = 256;

/** Writes a run's journal: the stream, which is the truth, and the tables derived from it. */
export interface Journal {
  /** Takes a record; it is written soon, in order. */
  record(record: RunRecord): void;
  /** Writes all that was taken. Throws if the journal cannot be written, or if somebody else closed the run. */
  flush(): Promise<void>;
}

/** Opens the journal of a run; `latestBefore` are the newest results so far, `onFailure` hears of a write that failed in the background. */
export function openJournal(store: MetadataStore, run: string, latestBefore: LatestKeys, onFailure: (error: unknown) => void): Journal {
  const stream = runStream(run);
  let steps: ReadonlyMap<string, PlannedStep> = new Map();
  let summary: RunSummary | undefined;
  let gathered: RunRecord[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let seq = 0;
  let latest = latestBefore;

  const write = async (records: readonly RunRecord[]): Promise<void> => {
    const tables = new Map<string, RowWrite[]>();
    const put = (table: string, key: string, row: unknown): void => {
      const write: RowWrite = { key, expectedRevision: null, row: row as Json };
      const writes = tables.get(table);
      if (writes) writes.push(write);
      else tables.set(table, [write]);
    };
    latest = latestAfter(latest, records);
    for (const record of records) {
      if (record.type === 'run-started') {
        steps = new Map(record.steps.map((step) => [step.address, step]));
        summary = startedSummary(record);
        put(runsTable, run, summary);
        put(openRunsTable, run, { holder: record.holder });
      } else if (record.type === 'step-finished') {
        const result = resultOf(run, steps, record);
        if (!result) continue;
        put(resultsTable, result.key, result);
        for (const { digest } of Object.values(result.artifacts)) put(producersTable, producerKey(digest, result.key), {});
      } else if (record.type === 'run-finished') {
        const { status, reason, durationMs } = record;
        put(runsTable, run, { ...summary!, status, reason, durationMs, steps: record.steps });
        put(openRunsTable, run, null);
        if (latest !== latestBefore) put(latestTable, summary!.pipeline, latest);
      }
    }
    // The stream goes first: a table may lag behind the truth, never run ahead of it.
    const outcome = await store.append(stream, seq, records as unknown as Json[]);
    if (!outcome.ok) throw closedElsewhere(run);
    seq = outcome.seq;
    await Promise.all([...tables].map(([table, writes]) => store.putMany(table, writes)));
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const records = gathered;
    gathered = [];
    if (records.length > 0) writing = writing.then(() => write(records));
    return writing;
  };
  return {
    flush,
    record(record) {
      gathered.push(record);
      if (gathered.length >= gatherAtMost) flush().catch(onFailure);
      else timer ??= setTimeout(() => void flush().catch(onFailure), gatherMs);
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
