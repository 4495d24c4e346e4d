import type { WorkerAttempt, WorkerChanges } from '../../contracts/command-results.ts';
import { counted } from '../quantities.ts';
import type { Format, Style } from '../style.ts';

const words: Readonly<Record<WorkerAttempt['how'], readonly [words: string, format: Format]>> = {
  taken: ['taken', 'dim'],
  committed: ['committed', 'green'],
  failed: ['failed', 'red'],
  'fenced-out': ['fenced out: another worker holds it, or its run is over', 'yellow'],
  returned: ['returned, for another worker', 'yellow'],
};

/** What a worker did about an attempt, in a line. */
export function workerAttemptText({ run, step, rows, how, found }: WorkerAttempt, style: Style): string {
  const [said, format] = words[how];
  const part = rows === null ? '' : ` rows ${rows[0] + 1} to ${rows[1]}`;
  return `${run}  ${step}${part}  ${style(format, said)}${found === null ? '' : `: ${found}`}`;
}

/** What a worker did about changes, in a line. */
export function workerChangesText({ generation, changes, refused }: WorkerChanges, style: Style): string {
  const said = refused === null ? style('green', 'applied') : `${style('yellow', 'given back')}: ${refused}`;
  return `${generation}  ${counted(changes, 'change')}  ${said}`;
}
