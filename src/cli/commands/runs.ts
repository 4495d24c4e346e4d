import { resolve } from 'node:path';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { listRuns as known, showRun as view } from '../../history/runs.ts';
import { type CommandContext, done, refused, wholeNumber } from '../context.ts';
import { openSession } from '../session.ts';

/** `twin runs list`: newest first. */
export async function listRuns(
  context: CommandContext,
  options: { readonly limit: string; readonly pipeline?: string },
): Promise<CommandOutcome> {
  const limit = wholeNumber('--limit', options.limit);
  if (typeof limit !== 'number') return refused([limit]);
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { pipeline } = options;
  return done({
    type: 'runs',
    runs: await known(await session.value.wired.journal(), { limit, ...(pipeline === undefined ? {} : { pipeline }) }),
  });
}

/** `twin runs show [run]`: every step with its outcome and reason. */
export async function showRun(context: CommandContext, options: { readonly html?: string }, run = 'latest'): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const journal = await wired.journal();
  const shown = await view(journal, run);
  if (!shown.ok) return refused([shown.error]);
  const { cardsOf } = await import('../failure-cards.ts');
  const failures = await cardsOf(journal, wired.state, shown.value);
  if (options.html === undefined) return done({ type: 'run', view: shown.value, failures });
  const { writeReport } = await import('../run-report.ts');
  const path = resolve(context.folder, options.html);
  try {
    await writeReport(journal, wired.state, shown.value, failures, path);
  } catch (error) {
    return refused([unwritable(path, error)]);
  }
  return done({ type: 'report', run: shown.value.run, path });
}

function unwritable(path: string, error: unknown): Problem {
  return {
    reason: 'report-unwritable',
    message: `The report cannot be written to ${path}`,
    where: path,
    found: error instanceof Error ? error.message : String(error),
    hint: 'Name a file in a folder that can be written: twin runs show --html report.html',
    exit: 1,
  };
}
