import type { FailureCard } from '../contracts/failure-card.ts';
import type { RunView, StepView } from '../contracts/run-view.ts';
import { classWords, frameWords, similarWords, sinceWords } from './failure-words.ts';
import { printable } from './printable.ts';
import { duration, grouped } from './quantities.ts';
import { countWords, reasonWords, stepCounts, verdictWords } from './run-words.ts';
import { plainStyle } from './style.ts';

/** Steps that the table holds: a summary page takes a megabyte at most. */
const mostSteps = 200;
const linesShown = 15;

/** What a summary tells beside the run itself. */
export interface SummaryExtras {
  readonly failures: readonly FailureCard[];
  /** The file of the report; null where there is none. */
  readonly report: string | null;
  /** The folder that paths of code are told relative to. */
  readonly root: string;
}

const signs: Readonly<Record<RunView['status'], string>> = { succeeded: '✅', failed: '❌', refused: '⛔', cancelled: '⚠️', running: '⏳' };

/** A run as Markdown, for the summary page of a CI job: the verdict, the cards of its failures, and a table of its steps. */
export function runSummary(view: RunView, { failures, report, root }: SummaryExtras): string {
  const { pipeline, status, reason, durationMs, counts, run } = view;
  const verdicts = view.steps
    .flatMap(({ artifacts }) => verdictWords(artifacts, plainStyle))
    .map((line) => (line.startsWith('  - ') ? `- ${inText(line.slice(4))}` : `\n${inText(line)}\n`));
  return [
    `### ${signs[status]} ${pipeline} ${status}${reason === null ? '' : ` (${inText(reason)})`} after ${duration(durationMs ?? 0)}`,
    '',
    `${stepCounts(counts)}. Run \`${run}\`${report === null ? '' : `, report \`${relative(report, root)}\``}.`,
    '',
    ...failures.flatMap((card) => cardLines(card, root)),
    ...stepTable(view.steps, failures.length > 0 || view.steps.length > 30),
    ...verdicts,
    '',
    '',
  ].join('\n');
}

function cardLines(card: FailureCard, root: string): readonly string[] {
  const { step, problem, frame, lastLines } = card;
  const similar = similarWords(card.similar);
  const since = sinceWords(card.since);
  return [
    `#### ✗ ${step}: ${classWords(card.class)}`,
    '',
    inText(problem.message),
    '',
    ...(frame === null ? [] : [`- at \`${inCode(frameWords(frame, root))}\``]),
    ...(problem.expected === undefined ? [] : [`- expected ${inText(problem.expected)}`]),
    ...(problem.found === undefined ? [] : [`- found ${inText(problem.found)}`]),
    ...(since.length === 0 ? [] : [`- ${inText(since[0]!)}`, ...since.slice(1).map((line) => `  - ${inText(line.trim())}`)]),
    ...(similar === null ? [] : [`- ${inText(similar)}`]),
    ...(problem.hint === undefined ? [] : [`- what to do: ${inText(problem.hint)}`]),
    `- go on from here: \`${inCode(card.resume)}\``,
    '',
    ...(lastLines.length === 0 ? [] : folded('Last lines', codeBlock(lastLines.slice(-linesShown).map(({ text }) => printable(text))))),
  ];
}

function stepTable(steps: readonly StepView[], fold: boolean): readonly string[] {
  const rows = steps.slice(0, mostSteps).map(({ address, state, reason, durationMs, counts, problem }) => {
    const told = [reasonWords(reason), countWords(state, counts), problem?.message].filter(
      (part) => part !== null && part !== undefined && part !== '',
    );
    const took = durationMs !== null && (state === 'succeeded' || state === 'failed') ? duration(durationMs) : '';
    return `| ${inText(address)} | ${state} | ${took} | ${inText(told.join('; '))} |`;
  });
  const more = steps.length > mostSteps ? ['', `${grouped(steps.length - mostSteps)} more steps are in the report.`] : [];
  const table = ['| step | outcome | took | |', '| --- | --- | ---: | --- |', ...rows, ...more];
  return fold ? folded('Steps', table) : table;
}

function folded(title: string, lines: readonly string[]): readonly string[] {
  return [`<details><summary>${title}</summary>`, '', ...lines, '', '</details>', ''];
}

/** A fence that is longer than any in the lines. */
function codeBlock(lines: readonly string[]): readonly string[] {
  const longest = Math.max(2, ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([ticks]) => ticks.length)));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...lines, fence];
}

/** Text that others wrote, as one line of Markdown in which it means nothing but itself. */
function inText(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|~]/g, String.raw`\$&`)
    .replaceAll('@', '@<!---->')
    .replaceAll(/\s*\n\s*/g, ' ');
}

function inCode(text: string): string {
  return printable(text).replaceAll('`', "'").replaceAll('\n', ' ');
}

function relative(path: string, root: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
