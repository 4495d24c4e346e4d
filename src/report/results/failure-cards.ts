import type { FailureCard } from '../../contracts/failure-card.ts';
import { classWords, frameWords, similarWords, sinceWords } from '../failure-words.ts';
import { printable } from '../printable.ts';
import { counted } from '../quantities.ts';
import type { Style } from '../style.ts';

const shownLines = 10;

/** What is known of each failure beyond its message; a failure of which nothing more is known has no card. */
export function failureCardsText(failures: readonly FailureCard[], style: Style): string {
  return failures.flatMap((card) => cardText(card, style) ?? []).join('\n');
}

function cardText(card: FailureCard, style: Style): string | null {
  const fields = [
    ...field('code', codeLines(card, style), style),
    ...field('since', sinceWords(card.since), style),
    ...field('before', similarWords(card.similar) ?? [], style),
    ...field('said', saidLines(card, style), style),
  ];
  if (fields.length === 0) return null;
  const tries = card.attempts > 1 ? `, after ${counted(card.attempts, 'attempt')}` : '';
  return [
    '',
    `${style('red', '✗')} ${style('bold', card.step)}: ${classWords(card.class)}${tries}`,
    `  ${style('dim', 'what'.padEnd(7))} ${indent(printable(card.problem.message))}`,
    ...fields,
    `  ${style('cyan', '→')} goes on from here: ${card.resume}`,
  ].join('\n');
}

function field(name: string, lines: string | readonly string[], style: Style): readonly string[] {
  const [first, ...rest] = typeof lines === 'string' ? [lines] : lines;
  if (first === undefined) return [];
  return [`  ${style('dim', name.padEnd(7))} ${first}`, ...rest.map((line) => `          ${line}`.trimEnd())];
}

function codeLines({ frame }: FailureCard, style: Style): readonly string[] {
  if (frame === null) return [];
  const width = String(frame.source.at(-1)?.line ?? 0).length;
  const source = frame.source.map(({ line, text }) => {
    const words = `${String(line).padStart(width)} │ ${printable(text)}`;
    return line === frame.line ? style('bold', `> ${words}`) : style('dim', `  ${words}`);
  });
  return [frameWords(frame), ...source];
}

function saidLines({ lastLines }: FailureCard, style: Style): readonly string[] {
  return lastLines.slice(-shownLines).map(({ stream, text }) => (stream === 'stderr' ? style('yellow', printable(text)) : printable(text)));
}

function indent(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat(10)}`);
}
