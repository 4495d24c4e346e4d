import type { MissReason, PartChange, PredictedStep, Prediction, RunPlan } from '../../contracts/plan.ts';
import { counted, duration, grouped } from '../quantities.ts';
import { reasonWords } from '../run-words.ts';
import type { Format, Style } from '../style.ts';

/** How many differences of a fingerprint are named before the rest is counted. */
const shownChanges = 3;
/** Times below this are not worth a word. */
const toldFromMs = 500;

/** What a run would do, a line a step in the order of the run. */
export function planText(plan: RunPlan, style: Style): string {
  const width = Math.max(0, ...plan.steps.map(({ address }) => address.length));
  const lines = plan.steps.map((step) => {
    const [word, format, why] = predictionWords(step.prediction);
    const told = [why, ...amountWords(step)].filter((part) => part !== '').join('; ');
    return `  ${style(format, word.padEnd(7))}  ${step.address.padEnd(width)}  ${told}`.trimEnd();
  });
  return [`${style('bold', plan.pipeline)}: ${summary(plan)}`, ...lines, style('dim', `→ twin run ${plan.pipeline}`)].join('\n');
}

/** How much a step has to do, and how long that takes. */
function amountWords({ prediction, rows, expectedMs }: PredictedStep): readonly string[] {
  const runs = prediction.kind === 'miss';
  if (!runs && prediction.kind !== 'unknown') return [];
  return [
    ...(rows ? [`${grouped(rows.redo)} of ${counted(rows.total, 'row')} to compute`] : []),
    ...(expectedMs !== null && expectedMs >= toldFromMs ? [`${runs ? 'about' : 'up to about'} ${duration(expectedMs)}`] : []),
  ];
}

/** `, about 12 s`, `, about 12 s to 3 min`; nothing where no earlier run tells. */
function estimateWords({ leastMs, mostMs, unmeasured }: RunPlan['estimate']): string {
  if (mostMs < toldFromMs) return '';
  const range = mostMs - leastMs < toldFromMs ? duration(mostMs) : `${duration(leastMs)} to ${duration(mostMs)}`;
  return `, about ${range}${unmeasured > 0 ? ` and ${counted(unmeasured, 'step')} that never ran` : ''}`;
}

function summary({ steps, estimate }: RunPlan): string {
  const count = (kind: Prediction['kind']) => steps.filter(({ prediction }) => prediction.kind === kind).length;
  const told = [
    [count('hit'), 'cached'],
    [count('miss'), 'to run'],
    [count('unknown') + count('unobserved'), 'not known yet'],
    [count('skip'), 'skipped'],
  ] as const;
  const parts = told.filter(([amount]) => amount > 0).map(([amount, word]) => `${amount} ${word}`);
  return `${counted(steps.length, 'step')}${parts.length === 0 ? '' : `, ${parts.join(', ')}`}${estimateWords(estimate)}`;
}

function predictionWords(prediction: Prediction): readonly [word: string, format: Format, why: string] {
  switch (prediction.kind) {
    case 'hit':
      return ['cached', 'cyan', `made by run ${prediction.run}`];
    case 'miss':
      return ['run', 'green', missWords(prediction.reason)];
    case 'unknown':
      return ['?', 'yellow', [`unknown until ${prediction.until}`, ...namedChanges(prediction.changes)].join('; ')];
    case 'unobserved':
      return ['?', 'yellow', prediction.message];
    case 'skip':
      return ['skip', 'dim', reasonWords(prediction.reason) ?? ''];
  }
}

/** Why a step runs although an earlier result might have served. */
export function missWords(reason: MissReason): string {
  switch (reason.kind) {
    case 'first-time':
      return 'never ran before';
    case 'forced':
      return 'forced';
    case 'state-changed':
      return 'what it keeps up to date was changed since';
    case 'interrupted':
      return 'began before and was never finished';
    case 'artifact-missing':
      return `its output ${reason.output} is gone`;
    case 'changed':
      return `${namedChanges(reason.changes).join('; ')} (since run ${reason.run})`;
  }
}

function namedChanges(changes: readonly PartChange[]): readonly string[] {
  const rest = changes.length - shownChanges;
  return [...changes.slice(0, shownChanges).map(changeWords), ...(rest > 0 ? [`and ${rest} more`] : [])];
}

/** One part of a fingerprint that differs, with both values where they say something. */
export function changeWords({ part, name, before, after }: PartChange): string {
  switch (part) {
    case 'code':
      return 'its code changed';
    case 'contract':
      return 'twin runs steps in another way';
    case 'step':
    case 'version':
      return `${part} ${value(before)} → ${value(after)}`;
    case 'params':
      return `${name ?? 'params'} ${value(before)} → ${value(after)}`;
    case 'inputs':
      return `input ${name ?? ''} changed`;
    case 'ports':
      return `${name ?? 'a port'} is another one`;
    case 'files':
      return `file ${name ?? ''} changed`;
    case 'environment':
      return `variable ${name ?? ''} changed`;
    case 'extra':
      return `${name ?? 'a part of it'} changed`;
    case 'observed':
      return 'what it reads changed';
  }
}

function value(of: PartChange['before']): string {
  const text = of === null ? 'nothing' : typeof of === 'string' ? of : JSON.stringify(of);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
