import { stripVTControlCharacters } from 'node:util';
import type { RunEvent } from '../contracts/events/run.ts';
import type { WatchStatus } from '../contracts/watch.ts';
import { renderProblems } from './problem.ts';
import { duration } from './quantities.ts';
import { remainingMs } from './remaining.ts';
import type { Reporter, ReportOptions } from './reporter.ts';
import { resultText } from './results.ts';
import { eventLines, metricWords, progressWords } from './run-words.ts';
import { type Style, styleFor } from './style.ts';
import { watchStatusText } from './watch-status.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const redrawEveryMs = 100;
/** Steps that are shown while they run; more are counted. */
const shownSteps = 8;
const barWidth = 20;
/** A time to go below this is not worth a word. */
const toldFromMs = 1000;

interface RunningStep {
  readonly startedAt: number;
  phase: string | null;
  progress: Extract<RunEvent, { type: 'step-progress' }> | null;
  metrics: string | null;
}

interface LiveRun {
  readonly startedAt: number;
  readonly steps: number;
  readonly expectedMs: ReadonlyMap<string, number>;
  readonly finished: Set<string>;
}

/** A live view for a terminal: what is finished scrolls up, what runs stands below with its progress. */
export function liveReporter(options: ReportOptions): Reporter {
  const { stdout, stderr, environment } = options;
  const style = styleFor(stdout, environment);
  const running = new Map<string, RunningStep>();
  let run: LiveRun | null = null;
  let status: WatchStatus | null = null;
  let width = 0;
  let drawn = 0;
  let frame = 0;
  let timer: NodeJS.Timeout | null = null;

  const erase = () => {
    if (drawn > 0) stdout.write(`\u001B[${drawn}A\u001B[0J`);
    drawn = 0;
  };
  const draw = () => {
    erase();
    const spinner = frames[frame % frames.length]!;
    const lines = run === null ? [] : viewLines(run, running, spinner, style);
    if (status !== null) lines.push(`${style('cyan', spinner)} ${watchStatusText(status, style)}`);
    const columns = stdout.columns ?? 80;
    for (const line of lines) stdout.write(`${fit(line, columns)}\n`);
    drawn = lines.length;
  };
  const start = () => {
    stdout.write('\u001B[?25l');
    timer = setInterval(() => {
      frame++;
      draw();
    }, redrawEveryMs);
    timer.unref();
  };
  const close = () => {
    if (timer === null) return;
    clearInterval(timer);
    timer = null;
    run = null;
    status = null;
    erase();
    stdout.write('\u001B[?25h');
  };
  const above = (lines: readonly string[]) => {
    if (lines.length === 0) return;
    erase();
    for (const line of lines) stdout.write(`${line}\n`);
    if (timer !== null) draw();
  };

  return {
    event(event) {
      if (event.type === 'run-started') {
        width = Math.max(0, ...event.steps.map(({ address }) => address.length));
        const expectedMs = new Map(Object.entries(event.expectedMs ?? {}));
        run = { startedAt: Date.now(), steps: event.steps.length, expectedMs, finished: new Set() };
        start();
      }
      follow(event, running);
      if (event.type === 'step-finished') run?.finished.add(event.step);
      if (event.type === 'run-finished') close();
      above(eventLines(event, style, width));
    },
    status(told) {
      status = told;
      if (timer === null) start();
      draw();
    },
    progress(line) {
      above([style('dim', line)]);
    },
    async result(result) {
      if (status !== null) close();
      const text = await resultText(result, style);
      if (text !== '') above([text]);
    },
    problems(problems) {
      close();
      stderr.write(`${renderProblems(problems, styleFor(stderr, environment))}\n`);
    },
    close,
  };
}

function follow(event: RunEvent, running: Map<string, RunningStep>): void {
  if (event.type === 'step-started') running.set(event.step, { startedAt: Date.now(), phase: null, progress: null, metrics: null });
  else if (event.type === 'step-finished') running.delete(event.step);
  else if (event.type === 'step-progress' || event.type === 'job-phase' || event.type === 'job-metric') {
    const step = running.get(event.step);
    if (step === undefined) return;
    if (event.type === 'step-progress') step.progress = event;
    else if (event.type === 'job-metric') step.metrics = metricWords(event.values);
    else [step.phase, step.progress] = [event.phase, null];
  }
}

function viewLines(run: LiveRun, running: ReadonlyMap<string, RunningStep>, spinner: string, style: Style): string[] {
  const width = Math.max(0, ...[...running.keys()].map((address) => address.length));
  const lines = [...running].slice(0, shownSteps).map(([address, step]) => {
    const parts = [step.phase, bar(step.progress, style), step.progress && progressWords(step.progress), step.metrics];
    const told = parts.filter((part) => part !== null && part !== '').join('  ');
    return `${style('cyan', spinner)} ${address.padEnd(width)}  ${duration(Date.now() - step.startedAt).padStart(10)}  ${told}`;
  });
  if (running.size > shownSteps) lines.push(style('dim', `  and ${running.size - shownSteps} more`));
  const left = remainingMs(run.expectedMs, running, run.finished, Date.now());
  const toGo = left !== null && left >= toldFromMs ? `, at most about ${duration(left)} to go` : '';
  lines.push(style('dim', `  ${run.finished.size} of ${run.steps} steps done, ${duration(Date.now() - run.startedAt)}${toGo}`));
  return lines;
}

/** Twenty cells, as many filled as the work done; nothing where the amount of work is not known. */
export function bar(progress: { readonly done: number; readonly total: number | null } | null, style: Style): string {
  if (progress === null || progress.total === null || progress.total <= 0) return '';
  const filled = Math.min(barWidth, Math.floor((barWidth * progress.done) / progress.total));
  return `${style('green', '█'.repeat(filled))}${style('dim', '░'.repeat(barWidth - filled))}`;
}

/** Cuts a line that is wider than the terminal, which would otherwise wrap and break the redraw. */
function fit(line: string, columns: number): string {
  const bare = stripVTControlCharacters(line);
  return bare.length < columns ? line : `${bare.slice(0, columns - 2)}…`;
}
