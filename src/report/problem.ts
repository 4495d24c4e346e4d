import type { Problem } from '../contracts/problem.ts';
import type { Style } from './style.ts';

/** A problem as its reader needs it: what, where, expected, found, and what to do. */
export function renderProblem(problem: Problem, style: Style): string {
  const field = (name: string, text: string | undefined) =>
    text === undefined ? [] : [`  ${style('dim', name.padEnd(9))} ${indent(text, 12)}`];
  return [
    `${style('red', 'error:')} ${style('bold', indent(problem.message, 7))}`,
    ...field('at', problem.where),
    ...field('expected', problem.expected),
    ...field('found', problem.found),
    ...(problem.hint === undefined ? [] : [`  ${style('cyan', '→')} ${indent(problem.hint, 4)}`]),
  ].join('\n');
}

/** Several problems, one below the other; more than one is counted at the end. */
export function renderProblems(problems: readonly Problem[], style: Style): string {
  const rendered = problems.map((problem) => renderProblem(problem, style)).join('\n\n');
  return problems.length < 2 ? rendered : `${rendered}\n\n${style('red', `${problems.length} problems`)}; nothing was changed.`;
}

/** Further lines of a text begin under its first. */
function indent(text: string, columns: number): string {
  return text.replaceAll('\n', `\n${' '.repeat(columns)}`);
}
