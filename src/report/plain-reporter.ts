import type { RunEvent } from '../contracts/events/run.ts';
import { renderProblem, renderProblems } from './problem.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { resultText } from './results.ts';
import { eventLines, metricWords, progressWords } from './run-words.ts';
import { styleFor } from './style.ts';
import { watchStatusText } from './watch-status.ts';

/** How often a step that goes on for long says how far it has come. */
const progressEveryMs = 10_000;

/** Plain lines: for a pipe, a log, CI. */
export function plainReporter({ stdout, stderr, environment }: ReportOptions, now: () => number = Date.now): Reporter {
  const style = styleFor(stdout, environment);
  const errorStyle = styleFor(stderr, environment);
  const said = new Map<string, number>();
  const metrics = new Map<string, string>();
  let width = 0;
  let saidState: string | null = null;
  let saidStateAt = -Infinity;
  const progressLine = (event: RunEvent): readonly string[] => {
    if (event.type === 'step-started') said.set(event.step, now());
    if (event.type === 'job-metric') metrics.set(event.step, metricWords(event.values));
    if (event.type !== 'step-progress' || now() - (said.get(event.step) ?? 0) < progressEveryMs) return [];
    said.set(event.step, now());
    const metric = metrics.get(event.step);
    return [`  ${event.step}: ${progressWords(event)}${metric === undefined ? '' : ` (${metric})`}`];
  };
  return {
    event(event) {
      if (event.type === 'run-started') width = Math.max(0, ...event.steps.map(({ address }) => address.length));
      for (const line of [...progressLine(event), ...eventLines(event, style, width)]) stdout.write(`${line}\n`);
    },
    progress(line) {
      stderr.write(`${line}\n`);
    },
    status(status) {
      const changed = status.state !== saidState;
      if (!changed && now() - saidStateAt < progressEveryMs) return;
      [saidState, saidStateAt] = [status.state, now()];
      stdout.write(`${watchStatusText(status, style)}\n`);
    },
    async result(result) {
      const text = await resultText(result, style);
      if (text !== '') stdout.write(`${text}\n`);
    },
    problems(problems) {
      stderr.write(`${renderProblems(problems, errorStyle)}\n`);
    },
    close() {},
  };
}

/** Only what was asked for: results, and problems. A run says nothing unless a step fails. */
export function quietReporter(options: ReportOptions): Reporter {
  const plain = plainReporter(options);
  const errorStyle = styleFor(options.stderr, options.environment);
  return {
    ...plain,
    event(event) {
      if (event.type === 'step-finished' && event.problem !== null && event.outcome === 'failed') {
        options.stderr.write(`${event.step} failed\n${renderProblem(event.problem, errorStyle)}\n`);
      }
    },
    progress() {},
    status() {},
  };
}
