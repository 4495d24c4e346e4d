import type { MissReason, PartChange, Prediction, RunPlan } from '../../contracts/plan.ts';
import { counted } from '../quantities.ts';
import { reasonWords } from '../run-words.ts';
import type { Format, Style } from '../style.ts';

/** How many differences of a fingerprint are named before the rest is counted. */
const shownChanges = 3;

/** What a run would do, a line a step in the order of the run. */
export function planText(plan: RunPlan, style: Style): string {
  const width = Math.max(0, ...plan.steps.map(({ address }) => address.length));
  const lines = plan.steps.map(({ address, prediction }) => {
    const [word, format, why] = predictionWords(prediction);
    return `  ${style(format, word.padEnd(7))}  ${address.padEnd(width)}  ${why}`.trimEnd();
  });
  return [`${style('bold', plan.pipeline)}: ${summary(plan)}`, ...lines, style('dim', `→ twin run ${plan.pipeline}`)].join('\n');
}

function summary({ steps }: RunPlan): string {
  const count = (kind: Prediction['kind']) => steps.filter(({ prediction }) => prediction.kind === kind).length;
  const told = [
    [count('hit'), 'cached'],
    [count('miss'), 'to run'],
    [count('unknown') + count('unobserved'), 'not known yet'],
    [count('skip'), 'skipped'],
  ] as const;
  const parts = told.filter(([amount]) => amount > 0).map(([amount, word]) => `${amount} ${word}`);
  return `${counted(steps.length, 'step')}${parts.length === 0 ? '' : `, ${parts.join(', ')}`}`;
}

function predictionWords(prediction: Prediction): readonly [word: string, format: Format, why: string] {
  switch (prediction.kind) {
    case 'hit':
      return ['cached', 'cyan', `made by run ${prediction.run}`];
    case 'miss':
      return ['run', 'green', missWords(prediction.reason)];
    case 'unknown':
      return ['?', 'yellow', `unknown until ${prediction.until}`];
    case 'unobserved':
      return ['?', 'yellow', prediction.message];
    case 'skip':
      return ['skip', 'dim', reasonWords(prediction.reason) ?? ''];
  }
}

function missWords(reason: MissReason): string {
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
    case 'changed': {
      const named = reason.changes.slice(0, shownChanges).map(changeWords);
      const rest = reason.changes.length - named.length;
      return `${named.join('; ')}${rest > 0 ? `; and ${rest} more` : ''} (since run ${reason.run})`;
    }
  }
}

function changeWords({ part, name, before, after }: PartChange): string {
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
