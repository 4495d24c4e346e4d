import type { LogEntry, OutputLine } from '../../contracts/run-log.ts';
import { printable } from '../printable.ts';
import { eventLines } from '../run-words.ts';
import type { Style } from '../style.ts';

/** What a run said and its steps printed, each line with its time of day. */
export function runLogsText(entries: readonly LogEntry[], width: number, style: Style): string {
  return entries
    .flatMap((entry) => {
      const lines = entry.type === 'step-output' ? [outputWords(entry, style)] : eventLines(entry, style, width);
      // A log of an earlier version has no times.
      const time = timeOfDay(entry.at ?? null);
      return lines.map((line, index) =>
        line === '' ? '' : `${style('dim', index === 0 ? time : ' '.repeat(time.length))} ${line}`.trimEnd(),
      );
    })
    .join('\n');
}

function outputWords({ step, stream, text }: OutputLine, style: Style): string {
  const said = printable(text);
  const words = stream === 'mark' ? style('yellow', said) : stream === 'stderr' ? style('yellow', said) : said;
  return `  ${style('dim', `${step}${stream === 'stderr' ? '!' : '|'}`)} ${words}`;
}

function timeOfDay(at: number | null): string {
  if (at === null) return '        ';
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
