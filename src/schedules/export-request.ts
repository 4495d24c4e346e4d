import type { ScheduleSpec } from '../contracts/schedule.ts';
import { writeDuration } from './duration.ts';

/** What a file that raises ticks must know. */
export interface ExportRequest {
  readonly name: string;
  readonly spec: ScheduleSpec;
  /** The words that start twin in its folder: `node_modules/.bin/node bin/twin.js`. No npx, which passes no signals on. */
  readonly twin: readonly string[];
  /** That folder, absolute. */
  readonly folder: string;
  /** TWIN_STATE, where it is set. */
  readonly state: string | null;
  readonly image: string | null;
}

/** A file that raises ticks. */
export interface ExportedFile {
  readonly name: string;
  readonly text: string;
}

/** The words that add the schedule where it is not there yet; adding an equal one again changes nothing. */
export function addWords(name: string, spec: ScheduleSpec): readonly string[] {
  const option = (flag: string, value: string | null, standard: string | null = null) =>
    value === null || value === standard ? [] : [flag, value];
  return [
    'schedule',
    'add',
    name,
    ...(spec.pipeline === name ? [] : [spec.pipeline]),
    ...option('--cron', spec.cron),
    ...option('--time-zone', spec.timeZone, 'UTC'),
    ...option('--after-documents', spec.afterDocuments === null ? null : String(spec.afterDocuments)),
    ...option('--max-age', spec.afterMs === null ? null : writeDuration(spec.afterMs)),
    ...option('--overlap', spec.overlap, 'skip'),
    ...option('--catch-up', spec.catchUp, 'latest'),
    ...option('--catch-up-window', writeDuration(spec.catchUpWindowMs), '7d'),
    ...option('--pause-after', spec.pauseAfter === null ? null : String(spec.pauseAfter)),
    ...option('--jitter', spec.jitterMs === 0 ? null : writeDuration(spec.jitterMs)),
    ...spec.set.flatMap((value) => ['--set', value]),
    ...option('--profile', spec.profile, 'embedded'),
    '--replace',
  ];
}

/** Words as a shell takes them. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
