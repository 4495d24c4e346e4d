import type { Finding } from '../../contracts/command-results.ts';
import { counted } from '../quantities.ts';
import type { Format, Style } from '../style.ts';

const words: Readonly<Record<Finding['state'], readonly [word: string, format: Format]>> = {
  ok: ['ok', 'green'],
  warn: ['note', 'yellow'],
  problem: ['problem', 'red'],
};

/** What doctor found, problems with their fix. */
export function doctorText(findings: readonly Finding[], style: Style): string {
  const width = Math.max(0, ...findings.map(({ subject }) => subject.length));
  const lines = findings.flatMap(({ subject, state, found, where, fix }) => {
    const [word, format] = words[state];
    const indent = ' '.repeat(width + 11);
    return [
      `${style(format, word.padEnd(7))}  ${subject.padEnd(width)}  ${found}`,
      ...(where === null ? [] : [`${indent}${style('dim', 'at')} ${where}`]),
      ...(fix === null ? [] : [`${indent}${style('cyan', '→')} ${fix.replaceAll('\n', `\n${indent}  `)}`]),
    ];
  });
  const problems = findings.filter(({ state }) => state === 'problem').length;
  const verdict =
    problems === 0
      ? style('green', 'Everything that a run needs is here.')
      : style('red', `${counted(problems, 'problem')} in the way of a run.`);
  return [...lines, '', verdict].join('\n');
}
