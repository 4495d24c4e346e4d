import type { CommandResult } from '../contracts/command-results.ts';
import type { TickView } from '../contracts/schedule.ts';
import type { Problem } from '../contracts/problem.ts';
import type { Reporter, ReportOptions } from './reporter.ts';

/** One JSON object a line on standard output; the last line is the result, or the last of the problems. */
export function jsonReporter({ stdout, stderr }: ReportOptions): Reporter {
  const line = (value: object) => stdout.write(`${JSON.stringify(value)}\n`);
  return {
    event: line,
    status: line,
    progress(text) {
      stderr.write(`${text}\n`);
    },
    async result(result) {
      for (const value of resultLines(result)) line(value);
    },
    problems(problems) {
      for (const problem of problems) line(errorLine(problem));
    },
    close() {},
  };
}

function errorLine({ reason, message, hint, where, expected, found }: Problem): object {
  return { type: 'error', reason, message, hint: hint ?? null, where, expected, found };
}

/** A list is a line a member; anything else is one line. */
function resultLines(result: CommandResult): readonly object[] {
  switch (result.type) {
    case 'none':
      return [];
    case 'plan':
      return [{ type: 'plan', ...result.plan }];
    case 'index-generations':
      return result.generations;
    case 'runs':
      return result.runs.map((run) => ({ type: 'run', ...run }));
    case 'run':
      return [{ type: 'run', ...result.view, failures: result.failures }];
    case 'failures':
      return result.failures;
    case 'run-logs':
      return result.entries;
    case 'config':
      return result.values;
    case 'doctor':
      return [...result.findings, { type: 'doctor', problems: result.findings.filter(({ state }) => state === 'problem').length }];
    case 'jobs':
      return result.jobs;
    case 'job-logs':
      return result.lines.map((text) => ({ type: 'job-log', id: result.id, text }));
    case 'datasets':
      return result.datasets.map((dataset) => ({ type: 'dataset-version', ...dataset }));
    case 'models':
      return result.models;
    case 'dead-letters':
      return result.letters;
    case 'dead-letter-shown':
      return [result.letter];
    case 'point-differences':
      return result.differences;
    case 'schedules':
      return result.schedules;
    case 'schedule-history':
      return result.ticks.map(tickLine);
    case 'schedule-ticks':
      return [...result.ticks.map(tickLine), { type: 'schedule-ticks', ran: result.ticks.length, reason: result.reason?.kind ?? null }];
    case 'sweep-finished': {
      const { variants, ...rest } = result;
      return [
        ...variants,
        { ...rest, succeeded: variants.filter(({ status }) => status === 'succeeded').length, variants: variants.length },
      ];
    }
    case 'devices':
      return result.devices.map((device) => ({ type: 'device', ...device }));
    case 'job-shown':
    case 'job-beat':
      return [{ type: result.type, ...result.view }];
    case 'jobs-compared':
      return result.views;
    case 'job-saving':
    case 'job-said':
    case 'job-left':
    case 'sweep-planned':
    case 'device-released':
    case 'why':
    case 'runs-diff':
    case 'gc':
    case 'report':
    case 'dataset':
    case 'schedule-changed':
    case 'schedule-files':
    case 'model':
    case 'alias-moved':
    case 'models-diff':
    case 'trace':
    case 'impact':
    case 'model-registered':
    case 'model-deleted':
    case 'model-pushed':
    case 'model-exported':
    case 'run-cancelled':
    case 'run-detached':
    case 'job-cancelled':
    case 'places':
    case 'worker-attempt':
    case 'worker-changes':
    case 'forgotten':
    case 'watch-finished':
    case 'dead-letters-changed':
    case 'reconciliation':
    case 'index-verified':
    case 'index-switched':
    case 'index-dropped':
    case 'answer':
      return [result];
  }
}

function tickLine(tick: TickView): object {
  return { type: 'schedule-tick', ...tick, tick: new Date(tick.tick).toISOString(), last: new Date(tick.last).toISOString() };
}
