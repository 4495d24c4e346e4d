import { describe, expect, test } from 'vitest';
import { renderProblem } from '../../src/report/problem.ts';
import { plainStyle } from '../../src/report/style.ts';
import { cronFields } from '../../src/schedules/cron-fields.ts';
import { cronProblem, cronTimes, timesBetween } from '../../src/schedules/cron.ts';
import { utcCrons } from '../../src/schedules/utc-crons.ts';

const times = (expression: string, from: string, count: number) => {
  const cron = cronTimes(expression, 'Europe/Berlin');
  const found: string[] = [];
  for (let time = cron.after(Date.parse(from)); found.length < count; time = cron.after(time!)) found.push(new Date(time!).toISOString());
  return found;
};

describe('a cron expression', () => {
  test('falls due at the next valid moment where its hour is skipped, and once where it is doubled', () => {
    expect(times('30 2 * * *', '2026-03-28T12:00Z', 2)).toEqual(['2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z']);
    expect(times('30 2 * * *', '2026-10-24T12:00Z', 2)).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
    expect(times('17,47 2 * * *', '2026-10-24T12:00Z', 3)).toEqual([
      '2026-10-25T00:17:00.000Z',
      '2026-10-25T00:47:00.000Z',
      '2026-10-26T01:17:00.000Z',
    ]);
  });

  test('of every hour sees each hour that passes', () => {
    expect(times('0 * * * *', '2026-10-24T23:30Z', 3)).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T02:00:00.000Z',
    ]);
  });

  test('gives the same times whatever was asked before', () => {
    const cron = cronTimes('*/7 * * * *', 'UTC');
    const forward = timesBetween(cron, 0, 3_600_000);
    expect(forward.toReversed().map((time) => cron.after(time - 1))).toEqual(forward.toReversed());
    expect(forward.every((time) => cron.includes(time))).toBe(true);
    expect(cron.includes(60_000)).toBe(false);
  });
});

test('what is no cron expression is told in the words of its fields', () => {
  const told = (expression: string, zone = 'UTC') => {
    const problem = cronProblem(expression, zone);
    return problem && renderProblem(problem, plainStyle);
  };
  expect(told('17 2 * * *')).toBeNull();
  expect(told('61 2 * * *')).toMatchInlineSnapshot(`
    "error: "61 2 * * *" is no cron expression
      at        --cron
      expected  five fields: minute, hour, day of month, month, day of week
      found     Invalid value for minute: 61
      → Every night at 02:17: --cron '17 2 * * *'"
  `);
  expect(told('17 2 * *')).toMatchInlineSnapshot(`
    "error: "17 2 * *" is no cron expression
      at        --cron
      expected  five fields: minute, hour, day of month, month, day of week
      found     4 fields
      → Every night at 02:17: --cron '17 2 * * *'"
  `);
  expect(told('0 0 30 2 *')).toContain('a day that never comes');
  expect(told('@daily')).not.toBeNull();
  expect(told('17 2 * * *', 'Mars/Olympus')).toMatchInlineSnapshot(`
    "error: There is no time zone Mars/Olympus
      at        --time-zone
      expected  a name of the IANA database, such as Europe/Berlin or UTC
      found     Mars/Olympus"
  `);
});

test('fields are read as every cron reads them, and what only some understand is not', () => {
  expect(cronFields('*/20 2-4,22 1 JAN,3 MON-FRI')).toEqual({
    minutes: [0, 20, 40],
    hours: [2, 3, 4, 22],
    days: [1],
    months: [1, 3],
    weekdays: [1, 2, 3, 4, 5],
  });
  expect(cronFields('0 0 * * 7')?.weekdays).toEqual([0]);
  expect(cronFields('0 0 L * *')).toBeNull();
  expect(cronFields('@daily')).toBeNull();
});

describe('for a clock that knows UTC alone', () => {
  test('a night is raised at both of its times, and at an odd minute', () => {
    expect(utcCrons('17 2 * * *', 'Europe/Berlin', 'nightly')).toEqual(['17 0 * * *', '17 1 * * *']);
    expect(utcCrons('0 3 * * *', 'UTC', 'nightly')).toEqual(['7 3 * * *']);
    expect(utcCrons('22 3 * * *', 'UTC', 'nightly')).toEqual(['23 3 * * *']);
  });

  test('days of the week follow their night over midnight', () => {
    expect(utcCrons('31 1 * * 1', 'Asia/Tokyo', 'nightly')).toEqual(['31 16 * * 0']);
  });

  test('an interval stays one, and too many times of day are refused', () => {
    expect(utcCrons('7 * * * *', 'Europe/Berlin', 'nightly')).toEqual(['7 * * * *']);
    expect(utcCrons('*/15 1-5 * * *', 'Europe/Berlin', 'nightly')).toBeNull();
  });
});
