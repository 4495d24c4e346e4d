import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { historyText } from '../../src/report/results/schedules.ts';
import { plainStyle } from '../../src/report/style.ts';
import { CatchUpPolicy, OverlapPolicy } from '../../src/contracts/schedule.ts';
import { ticksOf } from '../../src/schedules/ledger.ts';
import { play, scheduleSpec, unaccounted } from '../support/schedules.ts';

const hour = 60 * 60 * 1000;
const at = (text: string) => Date.parse(text);

describe('a month of nights over a change of the clocks', () => {
  test('with outages, a slow night, a failed one and a late clock of another machine, has every tick in its ledger', async () => {
    const [from, to] = [at('2026-03-10T12:00Z'), at('2026-04-09T12:00Z')];
    const played = await play({
      spec: scheduleSpec({ pauseAfter: 3 }),
      from,
      to,
      outages: [
        // Half a night: caught up at 07:00. Three nights: the last one is caught up. One in the middle of a run.
        [at('2026-03-12T00:00Z'), at('2026-03-12T06:00Z')],
        [at('2026-03-16T20:00Z'), at('2026-03-19T15:00Z')],
        [at('2026-03-22T01:50Z'), at('2026-03-22T03:00Z')],
        [at('2026-04-02T00:00Z'), at('2026-04-02T10:00Z')],
      ],
      raises: [at('2026-03-25T01:41Z'), at('2026-04-02T00:47Z')],
      runMs: (tick) => (tick === at('2026-03-20T01:30Z') ? 30 * hour : hour),
      status: (tick) => (tick === at('2026-03-24T01:30Z') ? 'failed' : 'succeeded'),
    });
    expect(unaccounted(played, from, to)).toEqual([]);
    expect(historyText('nightly', ticksOf(played.ledger), plainStyle)).toMatchInlineSnapshot(`
      "TICK                                  TRIGGER                  OUTCOME    NOTE
      2026-03-11 02:30                      time                     succeeded
      2026-03-12 02:30                      time                     succeeded  4 h 30 min late, caught up
      2026-03-13 02:30                      time                     succeeded
      2026-03-14 02:30                      time                     succeeded
      2026-03-15 02:30                      time                     succeeded
      2026-03-16 02:30                      time                     succeeded
      2026-03-17 02:30 to 2026-03-18 02:30  time                     2 skipped  nobody was there
      2026-03-19 02:30                      time                     succeeded  13 h 30 min late, caught up
      2026-03-20 02:30                      time                     succeeded
      2026-03-21 02:30                      time                     skipped    an earlier one was still running
      2026-03-22 02:30                      time                     succeeded  1 h 30 min late, caught up, attempt 2
      2026-03-23 02:30                      time                     succeeded
      2026-03-24 02:30                      time                     failed
      2026-03-25 02:30                      time                     succeeded
      2026-03-26 02:30                      time                     succeeded
      2026-03-27 02:30                      time                     succeeded
      2026-03-28 02:30                      time                     succeeded
      2026-03-29 03:00                      time                     succeeded
      2026-03-30 02:30                      time                     succeeded
      2026-03-31 02:30                      time                     succeeded
      2026-04-01 02:30                      time                     succeeded
      2026-04-02 02:30                      time, by GitHub Actions  succeeded  17 min 00 s late
      2026-04-03 02:30                      time                     succeeded
      2026-04-04 02:30                      time                     succeeded
      2026-04-05 02:30                      time                     succeeded
      2026-04-06 02:30                      time                     succeeded
      2026-04-07 02:30                      time                     succeeded
      2026-04-08 02:30                      time                     succeeded
      2026-04-09 02:30                      time                     succeeded"
    `);
  });

  test('the doubled hour of autumn is one night', async () => {
    const played = await play({ spec: scheduleSpec(), from: at('2026-10-23T12:00Z'), to: at('2026-10-27T12:00Z') });
    expect(played.runs.map(({ key }) => key)).toEqual([
      '2026-10-24T00:30:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-26T01:30:00Z',
      '2026-10-27T01:30:00Z',
    ]);
  });
});

const minute = 60_000;
const days = fc.integer({ min: 0, max: 5 * 24 * 60 }).map((minutes) => minutes * minute);

describe('whatever happens', () => {
  test('every tick is accounted for once, and none is run twice at once', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          cron: fc.constantFrom('30 2 * * *', '*/30 * * * *', '15 */6 * * *', '0 2,3 * * *', '7 * * * *'),
          overlap: fc.constantFrom(...OverlapPolicy.options),
          catchUp: fc.constantFrom(...CatchUpPolicy.options),
          jitterMs: fc.constantFrom(0, 10 * minute),
          outages: fc.array(fc.tuple(days, fc.integer({ min: 1, max: 40 * 60 })), { maxLength: 4 }),
          raises: fc.array(days, { maxLength: 20 }),
          slow: fc.integer({ min: 1, max: 200 }),
        }),
        async ({ cron, overlap, catchUp, jitterMs, outages, raises, slow }) => {
          const from = at('2026-03-27T00:00Z');
          const to = from + 5 * 24 * hour;
          const played = await play({
            spec: scheduleSpec({ cron, overlap, catchUp, jitterMs, catchUpWindowMs: 24 * hour }),
            from,
            to,
            everyMs: 5 * minute,
            outages: outages.map(([begin, minutes]) => [from + begin, from + begin + minutes * minute] as const),
            raises: raises.map((raise) => from + raise),
            // Every third tick takes long.
            runMs: (tick) => ((tick / minute) % 3 === 0 ? slow * minute : 5 * minute),
          });
          const { ledger, runs } = played;
          const accounted = ledger.accountedTo;
          expect(unaccounted(played, from, accounted)).toEqual([]);
          const atOnce = Math.max(0, ...runs.map((run) => run.atOnce));
          expect(overlap === 'allow' || atOnce <= 1).toBe(true);
          const begun = Map.groupBy(runs, ({ key }) => key);
          for (const [key, times] of begun) expect(times.length).toBe(ledger.ticks.get(key)!.attempts);
        },
      ),
      { numRuns: 100 },
    );
  });
});
