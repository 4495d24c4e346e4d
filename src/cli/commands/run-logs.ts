import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { Holder } from '../../contracts/run.ts';
import type { LogEntry } from '../../contracts/run-log.ts';
import { foldRun } from '../../history/fold.ts';
import { readRun, showRun } from '../../history/runs.ts';
import { openRunsTable } from '../../history/tables.ts';
import { followLog, readLog } from '../../logs/read-log.ts';
import type { MetadataStore } from '../../ports/metadata-store.ts';
import { isDeadForSure } from '../../workers/holder.ts';
import { type CommandContext, done, refused, usageProblem, wholeNumber } from '../context.ts';
import { openSession } from '../session.ts';

/** Options of `twin runs logs`, as the command line gives them. */
export interface RunLogsFlags {
  readonly step?: string;
  readonly follow?: true;
  readonly lines?: string;
}

/** `twin runs logs [run]`: what it said and its steps printed; with -f also what is still to come. */
export async function runLogs(context: CommandContext, options: RunLogsFlags, run = 'latest'): Promise<CommandOutcome> {
  const count = options.lines === undefined ? Infinity : wholeNumber('--lines', options.lines);
  if (typeof count !== 'number') return refused([count]);
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const journal = await wired.journal();
  const shown = await showRun(journal, run);
  if (!shown.ok) return refused([shown.error]);
  const { run: id, steps } = shown.value;
  const { step } = options;
  if (step !== undefined && !steps.some(({ address }) => address === step)) {
    return refused([usageProblem('unknown-step', `Run ${id} has no step ${step}`, `See: twin runs show ${id}`)]);
  }
  const width = Math.max(0, ...steps.map(({ address }) => address.length));
  const source = { logs: wired.state.logs, jobs: wired.state.jobs, run: id, ...(step === undefined ? {} : { step }) };
  if (options.follow !== true || shown.value.status !== 'running') {
    const entries = await readLog(source);
    return entries === null ? refused([noLog(id)]) : done({ type: 'run-logs', run: id, width, entries: last(entries, count) });
  }
  let first = true;
  for await (const entries of followLog(source, { signal: context.signal, isOver: () => isOver(journal, id) })) {
    await context.tell({ type: 'run-logs', run: id, width, entries: first ? last(entries, count) : entries });
    first = false;
  }
  const end = foldRun(await readRun(journal, id));
  if (end?.status === 'running' && !context.signal.aborted)
    context.progress(`The process of run ${id} is gone. The next twin run closes it.`);
  return done({ type: 'none' });
}

/** Whether nobody goes on with a run: it was finished or closed, or its process is gone for sure. */
async function isOver(journal: MetadataStore, run: string): Promise<boolean> {
  const [row] = await journal.get(openRunsTable, [run]);
  return !row || isDeadForSure((row.row as unknown as { readonly holder: Holder }).holder);
}

function last(entries: readonly LogEntry[], count: number): readonly LogEntry[] {
  return count === Infinity ? entries : entries.slice(-count);
}

function noLog(run: string) {
  return usageProblem('no-log', `The log of run ${run} is gone`, `Its steps are known: twin runs show ${run}`, { exit: 1 });
}
