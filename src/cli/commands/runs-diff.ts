import type { CommandOutcome } from '../../contracts/command-results.ts';
import { diffRuns, type JobMetrics } from '../../history/diff-runs.ts';
import { linesOf } from '../../history/lines.ts';
import { showRun } from '../../history/runs.ts';
import { runLogFile } from '../../logs/places.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { openSession } from '../session.ts';

/** `twin runs diff <before> [after]`: configuration, code, data, metrics and time of two runs side by side. */
export async function diffTwoRuns(context: CommandContext, _options: object, first: string, second = 'latest'): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const { metadata, artifacts } = await wired.stores();
  const [before, after] = [await showRun(metadata, first), await showRun(metadata, second)];
  if (!before.ok || !after.ok) return refused([before, after].flatMap((shown) => (shown.ok ? [] : [shown.error])));
  const metrics = {
    before: await metricsIn(runLogFile(wired.state.logs, before.value.run)),
    after: await metricsIn(runLogFile(wired.state.logs, after.value.run)),
  };
  return done(await diffRuns({ metadata, artifacts }, { before: before.value, after: after.value, metrics }));
}

/** The last value of each metric that a run's log holds; none where the log is gone. */
async function metricsIn(file: string): Promise<JobMetrics> {
  const metrics = new Map<string, Readonly<Record<string, number | string>>>();
  try {
    for await (const line of linesOf(file)) {
      if (!line.includes('"job-metric"')) continue;
      const event = JSON.parse(line) as {
        readonly type: string;
        readonly step: string;
        readonly values: Readonly<Record<string, number | string>>;
      };
      if (event.type === 'job-metric') metrics.set(event.step, { ...metrics.get(event.step), ...event.values });
    }
  } catch {
    // The journal tells the rest.
  }
  return metrics;
}
