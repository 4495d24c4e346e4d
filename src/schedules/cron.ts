import { Cron } from 'croner';
import type { Problem } from '../contracts/problem.ts';

/** A cron expression in a time zone: the logical times at which it falls due. */
export interface CronTimes {
  /** The first time after a moment; null where there is none. */
  after(moment: number): number | null;
  /** Whether a moment is one of its times. */
  includes(moment: number): boolean;
}

/**
 * Reads five fields. A time of day that daylight saving skips falls due at the next valid moment, and one that it doubles falls due once;
 * intervals (with a wildcard or step in minute or hour) go on by the clock on the wall and see each hour that passes.
 */
export function cronTimes(expression: string, timeZone: string): CronTimes {
  const name = `${expression} ${timeZone}`;
  const known = read.get(name) ?? readTimes(expression, timeZone);
  read.set(name, known);
  return known;
}

const read = new Map<string, CronTimes>();
const rememberedTimes = 50_000;

function readTimes(expression: string, timeZone: string): CronTimes {
  const cron = new Cron(expression, { timezone: timeZone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });
  // A scheduler asks each second, mostly the same: what follows the last moment and what follows each time is remembered.
  let last = { from: 0, next: 0 as number | null };
  const following = new Map<number, number | null>();
  const after = (moment: number) => {
    if (last.next !== null && moment >= last.from && moment < last.next) return last.next;
    const known = following.get(moment);
    if (known !== undefined) return known;
    const next = cron.nextRun(new Date(moment))?.getTime() ?? null;
    if (following.size >= rememberedTimes) following.clear();
    if (last.next === moment) following.set(moment, next);
    last = { from: moment, next };
    return next;
  };
  return { after, includes: (moment) => after(moment - 1000) === moment };
}

/** What is wrong with a cron expression or time zone; null where nothing is. */
export function cronProblem(expression: string, timeZone: string): Problem | null {
  if (!knownZone(timeZone)) {
    return {
      reason: 'unknown-time-zone',
      message: `There is no time zone ${timeZone}`,
      where: '--time-zone',
      expected: 'a name of the IANA database, such as Europe/Berlin or UTC',
      found: timeZone,
      exit: 2,
    };
  }
  const wrong = (found: string): Problem => ({
    reason: 'invalid-cron',
    message: `${JSON.stringify(expression)} is no cron expression`,
    where: '--cron',
    expected: 'five fields: minute, hour, day of month, month, day of week',
    found,
    hint: "Every night at 02:17: --cron '17 2 * * *'",
    exit: 2,
  });
  const fields = expression.trim().split(/\s+/).length;
  if (fields !== 5) return wrong(fields === 1 ? '1 field' : `${fields} fields`);
  try {
    return cronTimes(expression, timeZone).after(Date.now()) === null ? wrong('a day that never comes') : null;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return wrong(said.replace(/^\w+: /, ''));
  }
}

function knownZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format() !== '';
  } catch {
    return false;
  }
}

/** Times after one moment and up to another, oldest first; at most `limit`, so that a typing error cannot fill the memory. */
export function timesBetween(times: CronTimes, after: number, upTo: number, limit = 100_000): readonly number[] {
  const found: number[] = [];
  for (let time = times.after(after); time !== null && time <= upTo && found.length < limit; time = times.after(time)) found.push(time);
  return found;
}
