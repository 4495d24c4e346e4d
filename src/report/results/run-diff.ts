import type { MemberChange } from '../../contracts/difference.ts';
import type { ComparedRun, RunDiff, StepDifference } from '../../contracts/run-diff.ts';
import { counted, duration, moment } from '../quantities.ts';
import type { Style } from '../style.ts';
import { changeLines, contentLines } from './why.ts';

/** Two runs side by side: what differs in each step, then the time that both took. */
export function runDiffText({ before, after, steps, same }: RunDiff, style: Style): string {
  const lines = [`${style('bold', 'before')}  ${runWords(before)}`, `${style('bold', 'after')}   ${runWords(after)}`];
  if (steps.length === 0) lines.push('', `All ${counted(same, 'step')} are the same.`);
  for (const step of steps) lines.push('', ...stepLines(step, style));
  if (steps.length > 0 && same > 0) lines.push('', style('dim', `${counted(same, 'other step')} ${same === 1 ? 'is' : 'are'} the same.`));
  lines.push(style('dim', `→ twin why <step> --run ${after.run}`));
  return lines.join('\n');
}

function runWords({ run, pipeline, status, startedAt, durationMs }: ComparedRun): string {
  const took = durationMs === null ? '' : ` after ${duration(durationMs)}`;
  return `${run}  ${pipeline} ${status}${took}, started ${moment(startedAt)}`;
}

function stepLines({ step, state, durationMs, setup, outputs, counts, metrics }: StepDifference, style: Style): readonly string[] {
  const lines = [`${style('bold', step)}  ${stateWords(state)}${timeWords(durationMs)}`];
  for (const change of setup) lines.push(...changeLines(change, style, '  '));
  for (const { name, difference } of outputs) {
    const [first, ...rest] = contentLines(difference);
    lines.push(`  ${label('output', style)} ${name}: ${first ?? 'the same'}`, ...rest.map((line) => `              ${line}`));
  }
  for (const change of metrics) lines.push(`  ${label('metric', style)} ${memberWords(change)}`);
  for (const change of counts) lines.push(`  ${label('count', style)} ${memberWords(change)}`);
  return lines;
}

function label(name: string, style: Style): string {
  return style('cyan', name.padEnd(11));
}

function stateWords({ before, after }: StepDifference['state']): string {
  if (before === null) return 'is new';
  if (after === null) return 'is not part of it any more';
  return before === after ? after : `${before} → ${after}`;
}

/** Nothing where neither worked. */
function timeWords({ before, after }: StepDifference['durationMs']): string {
  if (before === null && after === null) return '';
  return `, ${before === null ? 'no time' : duration(before)} → ${after === null ? 'no time' : duration(after)}`;
}

/** `loss 2.31 → 2.12 (-0.19)`. */
function memberWords({ path, before, after }: MemberChange): string {
  const value = (of: MemberChange['before']): string => {
    if (of === null) return 'nothing';
    return typeof of === 'number' ? String(Number(of.toPrecision(6))) : JSON.stringify(of);
  };
  const difference = typeof before === 'number' && typeof after === 'number' ? after - before : null;
  const change = difference === null ? '' : ` (${difference > 0 ? '+' : ''}${Number(difference.toPrecision(3))})`;
  return `${path} ${value(before)} → ${value(after)}${change}`;
}
