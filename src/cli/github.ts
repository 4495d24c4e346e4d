import { appendFile } from 'node:fs/promises';
import { mask } from '../contracts/masking.ts';
import { annotations } from '../report/annotations.ts';
import { runSummary } from '../report/summary.ts';
import type { AfterRun } from './after-run.ts';
import type { CommandContext } from './context.ts';

/** In GitHub Actions, tells a run on the summary page of the job, and its failures at their lines of code. */
export async function tellGitHub(context: CommandContext, { view, failures, report }: AfterRun): Promise<void> {
  const { GITHUB_STEP_SUMMARY: summary, GITHUB_ACTIONS: actions, GITHUB_WORKSPACE: workspace } = context.environment;
  const root = workspace ?? context.project;
  if (summary) await appendFile(summary, mask(runSummary(view, { failures, report, root }))).catch(() => undefined);
  // On standard error, where they do not get between lines of JSON; GitHub reads both streams.
  if (actions === 'true') for (const line of annotations(view, failures, root)) context.progress(mask(line));
}
