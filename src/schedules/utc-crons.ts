import { cronFields } from './cron-fields.ts';
import { cronTimes, timesBetween } from './cron.ts';

/** Times of day that are told one by one; more are a sign of an interval. */
const mostTimes = 8;
const yearMs = 366 * 24 * 60 * 60 * 1000;

/**
 * The expressions by which a clock that knows UTC alone raises a schedule: every time of day at which a tick falls within a year, winter and summer.
 * Raised at the wrong one of two, twin finds nothing due. Null where there are too many.
 */
export function utcCrons(expression: string, timeZone: string, name: string, from = Date.UTC(2026, 0, 1)): readonly string[] | null {
  const fields = cronFields(expression);
  if (fields === null) return null;
  // An interval within the hour falls at the same minutes everywhere, but for zones that are off by less than an hour.
  const interval = fields.hours === null && (timeZone === 'UTC' || wholeHours(timeZone, from));
  if (timeZone === 'UTC' || interval) {
    const [minute, ...rest] = expression.trim().split(/\s+/);
    return [[quietMinute(minute!, name), ...rest].join(' ')];
  }
  const firstDays = timesBetween(cronTimes(expression, timeZone), from, from + yearMs, 40 * mostTimes);
  if (new Set(firstDays.map((time) => new Date(time).toISOString().slice(11, 16))).size > mostTimes) return null;
  const times = timesBetween(cronTimes(expression, timeZone), from, from + yearMs);
  const byTime = Map.groupBy(times, (time) => new Date(time).toISOString().slice(11, 16));
  // A night that daylight saving shifts is raised by the usual time that follows.
  const usual = [...byTime].filter(([, at]) => at.length > 2 || times.length <= 12);
  if (usual.length === 0 || usual.length > mostTimes) return null;
  const crons = usual.map(([clock, at]) => {
    const [hour, minute] = clock.split(':').map(Number);
    const days = new Set(at.map((time) => new Date(time).getUTCDay()));
    const weekdays = days.size === 7 ? '*' : [...days].toSorted((left, right) => left - right).join(',');
    return `${quietMinute(String(minute), name)} ${hour} * * ${weekdays}`;
  });
  return [...new Set(crons)].toSorted();
}

function wholeHours(timeZone: string, from: number): boolean {
  const minuteIn = (at: number) => Number(new Intl.DateTimeFormat('en', { timeZone, minute: 'numeric' }).format(at));
  return [0, 0.25, 0.5, 0.75].every((part) => minuteIn(from + part * yearMs) === new Date(from + part * yearMs).getUTCMinutes());
}

/** At full hours and round minutes everybody's jobs begin, and some of them are late or dropped: such a minute is moved on, to an odd one that is not round. */
function quietMinute(minute: string, name: string): string {
  if (!/^\d+$/.test(minute)) return minute;
  const at = Number(minute);
  const byName = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 5;
  const later = at % 5 === 0 ? at + 3 + 2 * byName : at;
  const odd = later % 2 === 0 ? later + 1 : later;
  return String(Math.min(59, odd % 5 === 0 ? odd + 2 : odd));
}
