import type { RunEvent } from '../contracts/events/run.ts';
import { duration } from './quantities.ts';
import { countWords, reasonWords, stepCounts, verdictWords } from './run-words.ts';
import { plainStyle } from './style.ts';

/** A run as Markdown, for the summary page of a CI job: what became of it, and a table of its steps. */
export function runSummary(events: readonly RunEvent[]): string {
  const end = events.find((event) => event.type === 'run-finished');
  const steps = events.filter((event) => event.type === 'step-finished');
  if (end === undefined) return '';
  const rows = steps.map(({ step, outcome, reason, durationMs, counts, problem }) => {
    const told = [reasonWords(reason), countWords(outcome, counts), problem?.message].filter(
      (part) => part !== null && part !== undefined && part !== '',
    );
    return `| ${step} | ${outcome} | ${outcome === 'succeeded' || outcome === 'failed' ? duration(durationMs) : ''} | ${inCell(told.join('; '))} |`;
  });
  const verdicts = steps
    .flatMap(({ artifacts }) => verdictWords(artifacts, plainStyle))
    .map((line) => (line.startsWith('  - ') ? line : `\n${line}\n`));
  return [
    `### ${end.pipeline} ${end.status}${end.reason === null ? '' : ` (${end.reason})`} after ${duration(end.durationMs)}`,
    '',
    `${stepCounts(end.steps)}. Run \`${end.run}\`.`,
    '',
    '| step | outcome | took | |',
    '| --- | --- | ---: | --- |',
    ...rows,
    ...verdicts,
    '',
    '',
  ].join('\n');
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
