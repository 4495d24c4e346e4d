/** The values of each field of a cron expression; null where every value counts. */
export interface CronFields {
  readonly minutes: readonly number[] | null;
  readonly hours: readonly number[] | null;
  readonly days: readonly number[] | null;
  readonly months: readonly number[] | null;
  /** From 0, a Sunday. */
  readonly weekdays: readonly number[] | null;
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Reads the fields of a valid expression; null where it uses more than every cron understands (L, W, #, nicknames). */
export function cronFields(expression: string): CronFields | null {
  const parts = expression.trim().split(/\s+/);
  if (parts.length !== 5) return null;
  const ranges = [
    [0, 59, []],
    [0, 23, []],
    [1, 31, []],
    [1, 12, months],
    [0, 7, weekdays],
  ] as const;
  const read = ranges.map(([from, to, names], at) => fieldValues(parts[at]!, from, to, names));
  if (read.includes(undefined)) return null;
  const [minutes, hours, days, monthNumbers, weekdayNumbers] = read as (readonly number[] | null)[];
  const normal = weekdayNumbers && [...new Set(weekdayNumbers.map((day) => day % 7))].toSorted((left, right) => left - right);
  return { minutes: minutes!, hours: hours!, days: days!, months: monthNumbers!, weekdays: normal ?? null };
}

/** The values of one field, sorted; null for all of them, undefined where it cannot be read. */
function fieldValues(text: string, from: number, to: number, names: readonly string[]): readonly number[] | null | undefined {
  if (text === '*' || text === '?') return null;
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [, range, step = '1'] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    if (range === undefined) return undefined;
    const [low, high = low] = range === '*' ? [String(from), String(to)] : range.split('-');
    const [first, last] = [numberOf(low!, from, names), numberOf(high!, from, names)];
    if (first === null || last === null || first < from || last > to || first > last) return undefined;
    for (let value = first; value <= last; value += Number(step)) values.add(value);
  }
  return [...values].toSorted((left, right) => left - right);
}

function numberOf(text: string, from: number, names: readonly string[]): number | null {
  if (/^\d+$/.test(text)) return Number(text);
  const at = names.indexOf(text.toUpperCase());
  return at === -1 ? null : at + from;
}
