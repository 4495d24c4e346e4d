import { foldRun } from '../history/fold.ts';
import { readRun } from '../history/runs.ts';
import type { FailureCard } from '../contracts/failure-card.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { RunView } from '../contracts/run-view.ts';
import type { CommandContext } from './context.ts';
import { cardsOf } from './failure-cards.ts';
import type { RunLog } from './run-log.ts';
import type { Wired } from './wire.ts';

/** What is left of a run for its readers. */
export interface AfterRun {
  readonly view: RunView;
  readonly failures: readonly FailureCard[];
  /** The file of the report; null where it could not be written. */
  readonly report: string | null;
}

/** Tells what helps with the failures of a run that has ended, and writes its report; null where the journal cannot be read any more. */
export async function afterRun(context: CommandContext, wired: Wired, run: string, log: RunLog): Promise<AfterRun | null> {
  await log.flush();
  try {
    const journal = await wired.journal();
    const view = foldRun(await readRun(journal, run));
    if (view === null) return null;
    const failures = await cardsOf(journal, wired.state, view);
    if (failures.length > 0) await context.tell({ type: 'failures', failures });
    return { view, failures, report: await reportOf(context, wired, view, failures) };
  } catch (error) {
    // What is wrong with the journal has been told as the end of the run.
    if (error instanceof ProblemError) return null;
    throw error;
  }
}

async function reportOf(context: CommandContext, wired: Wired, view: RunView, failures: readonly FailureCard[]): Promise<string | null> {
  try {
    const { writeReport } = await import('./run-report.ts');
    return await writeReport(await wired.journal(), wired.state, view, failures);
  } catch (error) {
    context.progress(`The report of run ${view.run} could not be written: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}
