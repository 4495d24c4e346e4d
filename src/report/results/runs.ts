import type { RunCancelled, RunDetached } from '../../contracts/command-results.ts';
import type { RunSummary } from '../../contracts/run.ts';
import type { OpenState, RunView, StepView } from '../../contracts/run-view.ts';
import type { FailureCard } from '../../contracts/failure-card.ts';
import { renderProblem } from '../problem.ts';
import { duration, moment } from '../quantities.ts';
import { checkWords, countWords, holderWords, outcomeWord, reasonWords, stepCounts, verdictWords, sweepWords } from '../run-words.ts';
import type { Format, Style } from '../style.ts';
import { table } from '../table.ts';
import { failureCardsText } from './failure-cards.ts';

const statusFormats: Readonly<Record<RunSummary['status'], Format>> = {
  succeeded: 'green',
  failed: 'red',
  refused: 'yellow',
  cancelled: 'yellow',
  running: 'cyan',
};

/** Runs, newest first. */
export function runsText(runs: readonly RunSummary[], style: Style): string {
  if (runs.length === 0) return 'No runs yet.\n→ twin run nightly, or twin quickstart';
  return table(
    ['RUN', 'PIPELINE', 'STATUS', 'STARTED', 'TOOK', 'STEPS', 'REASON'],
    runs.map((run) => [
      run.run,
      run.pipeline,
      style(statusFormats[run.status], run.status),
      moment(run.startedAt),
      run.durationMs === null ? '' : duration(run.durationMs),
      run.steps === null ? '' : stepCounts(run.steps),
      run.reason ?? '',
    ]),
    (title) => style('dim', title),
  );
}

/** A run with every step: how it ended, why, how long it took and what it counted. */
export function runText(view: RunView, failures: readonly FailureCard[], style: Style): string {
  const cards = failureCardsText(failures, style);
  const width = Math.max(0, ...view.steps.map(({ address }) => address.length));
  const took = view.durationMs === null ? '' : ` after ${duration(view.durationMs)}`;
  const reason = view.reason === null ? '' : ` (${view.reason})`;
  const lines = [
    `${style('bold', view.pipeline)}: ${style(statusFormats[view.status], view.status)}${reason}${took}`,
    `  run      ${view.run}`,
    `  started  ${moment(view.startedAt)}, profile ${view.profile}, by ${holderWords(view.holder)}`,
    ...originLines(view),
    ...(view.setup?.sweep ? [`  variant  ${sweepWords(view.setup.sweep)}`] : []),
    `  steps    ${stepCounts(view.counts)}`,
    '',
    ...view.steps.flatMap((step) => stepLines(step, width, style)),
    ...(cards === '' ? [] : [cards]),
  ];
  return lines.join('\n');
}

/** `3 attempts (infrastructure, preempted)`. */
function attemptWords({ attempts, retried = [] }: StepView): string {
  return `${attempts} attempts${retried.length === 0 ? '' : ` (${retried.map(({ failure }) => failure).join(', ')})`}`;
}

function isOpen(state: StepView['state']): state is OpenState {
  return state === 'pending' || state === 'ready' || state === 'queued' || state === 'running';
}

function originLines({ origin, setup }: RunView): readonly string[] {
  if (origin === null) return [];
  return setup?.forkedAt === undefined ? [`  resumes  run ${origin}`] : [`  forks    run ${origin} at ${setup.forkedAt}`];
}

function stepLines(step: StepView, width: number, style: Style): readonly string[] {
  const { state } = step;
  const word = isOpen(state) ? style(state === 'running' ? 'cyan' : 'dim', state.padEnd(9)) : outcomeWord(state, style);
  const took = step.durationMs === null || (state !== 'succeeded' && state !== 'failed') ? '' : duration(step.durationMs);
  const parts = [
    took.padStart(10),
    reasonWords(step.reason),
    step.attempts > 1 ? attemptWords(step) : null,
    countWords(state, step.counts),
  ];
  const told = parts.filter((part) => part !== null && part !== '').join('  ');
  return [
    `  ${word}  ${step.address.padEnd(width)}  ${told}`.trimEnd(),
    ...verdictWords(step.artifacts, style).map((line) => `             ${line}`),
    ...checkWords(step.checks ?? [], style).map((line) => `             ${line}`),
    ...(step.problem === null || state === 'cancelled'
      ? []
      : renderProblem(step.problem, style)
          .split('\n')
          .map((line) => `             ${line}`)),
  ];
}

/** What became of a run that was asked to end, and what to do next. */
export function runCancelledText({ run, status, how }: RunCancelled): string {
  switch (how) {
    case 'ended':
      return `Run ${run} had ended before: ${status}.`;
    case 'closed':
      return `The process of run ${run} was dead; the run is closed as ${status}, and jobs that it had left were told to stop. What it finished is kept.`;
    case 'stopped':
      return `Run ${run} has ended: ${status}. What it finished is kept.`;
    case 'asked':
      return `Run ${run} was asked to stop and has not ended yet.\n→ twin runs show ${run}`;
  }
}

/** A run in the background, and how to follow and end it. */
export function runDetachedText({ run, pid }: RunDetached, style: Style): string {
  return `Run ${run} goes on in the background as process ${pid}.\n${style('dim', `→ twin runs logs -f ${run}, twin runs cancel ${run}`)}`;
}
