import type { DeadLetterLine, DeadLettersChanged, Reconciliation, WatchFinished } from '../../contracts/watch.ts';
import { counted, duration, moment } from '../quantities.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

/** What a watch did until it was asked to stop. */
export function watchFinishedText({ index, settled, deadLetters, documents, points, durationMs }: WatchFinished, style: Style): string {
  const dead = deadLetters === 0 ? '' : `\n${style('red', counted(deadLetters, 'dead letter'))} are left: twin dlq list`;
  return `${style('bold', index)} was followed for ${duration(durationMs)}: ${counted(settled, 'change')} applied; it holds ${counted(points, 'point')} of ${counted(documents, 'document')}.${dead}`;
}

/** Dead letters, one a line. */
export function deadLettersText(letters: readonly DeadLetterLine[], style: Style): string {
  if (letters.length === 0) return 'No dead letters: every document that was read is in the index.';
  const rows = letters.map(({ document, reason, where, tries, at }) => [
    document,
    reason,
    where ?? '',
    String(tries),
    moment(Date.parse(at)),
  ]);
  const list = table(['DOCUMENT', 'REASON', 'WHERE', 'TRIES', 'LAST TRIED'], rows, (title) => style('dim', title));
  return `${list}\n${style('cyan', '→')} twin dlq show <document>, twin dlq retry <document>`;
}

/** One dead letter with its whole cause. */
export function deadLetterText(letter: DeadLetterLine, style: Style): string {
  const { document, tenant, version, message, where, expected, found, hint, tries, at } = letter;
  const lines: readonly (readonly [string, string | null])[] = [
    ['tenant', tenant],
    ['read at', `version ${version}`],
    ['tried', `${counted(tries, 'time')}, last ${moment(Date.parse(at))}`],
    ['where', where],
    ['expected', expected],
    ['found', found],
  ];
  return [
    `${style('bold', document)}: ${style('red', message)}`,
    ...lines.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(8)}  ${value}`])),
    ...(hint === null ? [] : [`${style('cyan', '→')} ${hint}`]),
  ].join('\n');
}

/** What became of dead letters. */
export function deadLettersChangedText({ what, settled, dead }: DeadLettersChanged): string {
  if (what === 'discarded')
    return `Discarded ${counted(settled, 'dead letter')}. What the index held of them stays; their next change tries them again.`;
  if (what === 'asked')
    return `Asked for ${counted(settled, 'dead letter')} to be tried again: the process that follows the changes takes them up within seconds.`;
  return `Tried ${counted(settled + dead, 'dead letter')} again: ${settled} applied, ${dead} failed again.`;
}

/** What reconciling would do, or did. */
export function reconciliationText(told: Reconciliation, style: Style): string {
  const { index, generation, gap, documents, indexed, written, removed } = told;
  if (told.done)
    return `${style('green', 'Reconciled')}: ${index} is ${generation} with ${counted(documents, 'document')}; ${counted(written, 'point')} written, ${removed} removed.\n${style('cyan', '→')} twin verify index`;
  return [
    gap === null
      ? `No gap is known of ${style('bold', index)}.`
      : `${style('red', 'Gap')} in the changes of ${style('bold', index)}: ${gap}`,
    `  the store holds ${counted(documents, 'document')}; the ledger of ${generation} knows ${indexed}`,
    '  every document would be read again; what differs is written, what is gone is removed, nothing is embedded that was before',
    `${style('cyan', '→')} twin reconcile --yes`,
  ].join('\n');
}
