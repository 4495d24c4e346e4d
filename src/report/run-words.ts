import type { RunEvent } from '../contracts/events/run.ts';
import type { CheckResult, FailureClass, Holder, StepCounts, StepOutcome, StepReason } from '../contracts/run.ts';
import type { OpenState } from '../contracts/run-view.ts';
import type { SweepPlace } from '../contracts/sweep.ts';
import { renderProblem } from './problem.ts';
import { counted, counters, duration, grouped } from './quantities.ts';
import type { Format, Style } from './style.ts';

const outcomeFormats: Readonly<Record<StepOutcome, Format>> = {
  succeeded: 'green',
  cached: 'cyan',
  failed: 'red',
  skipped: 'dim',
  cancelled: 'yellow',
};

/** An outcome in its colour, padded to the longest one. */
export function outcomeWord(outcome: StepOutcome, style: Style): string {
  return style(outcomeFormats[outcome], outcome.padEnd(9));
}

/** Why a step ended as it did, as a person says it; null where the outcome says it all. */
export function reasonWords(reason: StepReason | null): string | null {
  switch (reason) {
    case null:
    case 'error':
    case 'cancelled-by-user':
      return null;
    case 'timed-out':
      return 'took longer than it may';
    case 'lost':
      return 'its process vanished';
    case 'upstream-failed':
      return 'a step that it needs failed';
    case 'condition':
      return 'its condition does not hold';
    case 'slice':
      return 'this run leaves it out';
    case 'gate-refused':
      return 'a gate or check refused what it needs';
    case 'no-champion':
      return 'there is no champion yet';
  }
}

/** Who holds something: `twin run nightly (pid 4711 on host a)`. */
export function holderWords(holder: Holder): string {
  return `${holder.command} (pid ${holder.pid} on ${holder.host})`;
}

/** Which variant of which sweep a run is: `2 of 6 of sweep-…: train-sft.learningRate=0.0003`. */
export function sweepWords({ sweep, variant, variants, values }: SweepPlace): string {
  const given = Object.entries(values).map(([address, value]) => `${address}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${variant} of ${variants} of ${sweep}: ${given.join(' ')}`;
}

/** The counts of a run that are not zero: `3 succeeded, 9 cached`. */
export function stepCounts(steps: StepCounts): string {
  const told = (['succeeded', 'cached', 'failed', 'skipped', 'cancelled'] as const).filter((outcome) => steps[outcome] > 0);
  return told.map((outcome) => `${grouped(steps[outcome])} ${outcome}`).join(', ') || 'no steps';
}

/** How far a step has come: `128 of 900 documents, 14 %, about 12 s to go`. */
export function progressWords(event: Extract<RunEvent, { type: 'step-progress' }>): string {
  const { done, total, remainingMs, unit } = event;
  const of = total === null ? grouped(done) : `${grouped(done)} of ${grouped(total)}`;
  const parts = [unit === null ? of : `${of} ${unit}`];
  if (total !== null && total > 0) parts.push(`${Math.floor((100 * done) / total)} %`);
  if (remainingMs !== null && done !== total) parts.push(`about ${duration(remainingMs)} to go`);
  return parts.join(', ');
}

/** The newest values of metrics: `loss 2.314, learning_rate 0.0003`. */
export function metricWords(values: Readonly<Record<string, number | string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? metricNumber(value) : value}`)
    .join(', ');
}

/** A value of a metric in four digits. */
export function metricNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** The verdicts among a step's artifacts, with their reasons. */
export function verdictWords(artifacts: Extract<RunEvent, { type: 'step-finished' }>['artifacts'], style: Style): readonly string[] {
  return Object.values(artifacts).flatMap((artifact) => {
    if (artifact.kind !== 'json') return [];
    const { verdict, reasons } = (artifact.inline ?? {}) as { verdict?: unknown; reasons?: unknown };
    if (typeof verdict !== 'string' || !Array.isArray(reasons)) return [];
    const format: Format = verdict === 'pass' ? 'green' : verdict === 'refuse' ? 'red' : 'yellow';
    return [`verdict of ${artifact.name}: ${style(format, verdict)}`].concat(reasons.map((reason) => `  - ${String(reason)}`));
  });
}

/** What checks said of a step's outputs; those that hold in one line. */
export function checkWords(checks: readonly CheckResult[], style: Style): readonly string[] {
  const holding = checks.filter(({ ok }) => ok).map(({ name, cached }) => `${name}${cached ? ' (as before)' : ''}`);
  const lines = checks
    .filter(({ ok }) => !ok)
    .map(({ name, output, level, expected, found }) => {
      const word = level === 'blocking' ? style('red', 'refused') : style('yellow', 'warning');
      return `check ${name} of ${output}: ${word}, expected ${expected}, found ${found}`;
    });
  return holding.length === 0 ? lines : [...lines, `checks that hold: ${holding.join(', ')}`];
}

/** What a step counted; a cached one counted it when it ran. */
export function countWords(outcome: StepOutcome | OpenState, counts: Readonly<Record<string, number>>): string {
  const told = counters(counts);
  return outcome === 'cached' && told !== '' ? `as before: ${told}` : told;
}

/** What a finished step did, after its name: how long, how much, why. */
export function finishedWords(event: Extract<RunEvent, { type: 'step-finished' }>): string {
  const took = event.outcome === 'succeeded' || event.outcome === 'failed' ? duration(event.durationMs) : '';
  return [took.padStart(10), reasonWords(event.reason), countWords(event.outcome, event.counts)]
    .filter((part) => part !== null && part !== '')
    .join('  ')
    .trimEnd();
}

/** A path as it is shortest from where twin was started. */
export function placeWords(path: string): string {
  const folder = `${process.cwd()}/`;
  return path.startsWith(folder) ? path.slice(folder.length) : path;
}

/** How a run ended, in one line, and below it what to do next. */
export function runFinishedWords(event: Extract<RunEvent, { type: 'run-finished' }>, style: Style): string {
  const { pipeline, status, reason, run } = event;
  const format: Format = status === 'succeeded' ? 'green' : status === 'failed' ? 'red' : 'yellow';
  const word = status === 'refused' || status === 'cancelled' ? `was ${status}` : status;
  const why = reason === null ? '' : ` (${reason})`;
  const line = `${style('bold', pipeline)} ${style(format, word)}${why} after ${duration(event.durationMs)}: ${stepCounts(event.steps)}.`;
  const next =
    status === 'succeeded'
      ? `twin runs show ${run}`
      : status === 'cancelled'
        ? `finished steps are kept: twin run ${pipeline}`
        : `twin runs show ${run}, twin runs logs ${run}`;
  const report = event.report ? `\n${style('dim', `→ report: ${placeWords(event.report)}`)}` : '';
  return `${line}\n${style('dim', `→ ${next}`)}${report}`;
}

/** What a pipe, a log or a terminal gets for one event: complete lines, none for an event that only moves a progress bar. `width` is the longest address. */
export function eventLines(event: RunEvent, style: Style, width: number): readonly string[] {
  switch (event.type) {
    case 'run-started':
      return [`${style('bold', event.pipeline)}: ${counted(event.steps.length, 'step')} ${style('dim', `(run ${event.run})`)}`];
    case 'waiting':
      return [`waiting for ${event.target}, held by ${holderWords(event.holder)} for ${duration(event.heldForMs)}`];
    case 'run-closed':
      return [`closed run ${event.run} of ${event.pipeline}: its process had died; what it finished is kept`];
    case 'cancel-requested':
      return [`stopping: ${holderWords(event.by)} asked for it; running jobs save a checkpoint first`];
    case 'step-started':
    case 'step-progress':
    case 'job-metric':
      return [];
    case 'step-log':
      return [style('dim', `  ${event.step}: ${event.message}`)];
    case 'cache-miss':
      return [style('yellow', `  ${event.step}: ${event.message}`)];
    case 'step-retry':
      return [
        style(
          'yellow',
          `  ${event.step}: attempt ${event.attempt - 1} failed (${failureWords(event.failure)}: ${event.problem.message}), again in ${duration(event.delayMs)}`,
        ),
      ];
    case 'job-launched':
      return [style('dim', `  ${event.step}: ${launchWords(event.how, event.attempt)}`)];
    case 'job-phase':
      return [style('dim', `  ${event.step}: ${event.phase}`)];
    case 'step-finished':
      return [
        `  ${outcomeWord(event.outcome, style)}  ${event.step.padEnd(width)}  ${finishedWords(event)}`.trimEnd(),
        ...verdictWords(event.artifacts, style).map((line) => `             ${line}`),
        ...checkWords(event.checks ?? [], style).map((line) => `             ${line}`),
        ...(event.problem === null || event.outcome === 'cancelled'
          ? []
          : renderProblem(event.problem, style)
              .split('\n')
              .map((line) => `             ${line}`)),
      ];
    case 'run-finished':
      return ['', ...runFinishedWords(event, style).split('\n')];
  }
}

/** A class of failure as a person says it. */
function failureWords(failure: FailureClass): string {
  switch (failure) {
    case 'user':
      return 'its own fault';
    case 'infrastructure':
      return 'its surroundings';
    case 'preempted':
      return 'preempted';
    case 'out-of-memory':
      return 'out of memory';
    case 'timed-out':
      return 'timed out';
  }
}

function launchWords(how: 'started' | 'adopted' | 'resumed', attempt: number): string {
  switch (how) {
    case 'started':
      return attempt === 1 ? 'job started' : `job started, attempt ${attempt}`;
    case 'adopted':
      return 'job was running already: following it';
    case 'resumed':
      return `job resumed from its last checkpoint, attempt ${attempt}`;
  }
}
