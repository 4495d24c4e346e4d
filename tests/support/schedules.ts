import type { Holder } from '../../src/contracts/run.ts';
import type { ScheduleRecord, ScheduleSpec, TickEnd, TickSource } from '../../src/contracts/schedule.ts';
import { openBook } from '../../src/schedules/book.ts';
import { type CronTimes, cronTimes, timesBetween } from '../../src/schedules/cron.ts';
import { decide, lateAfterMs } from '../../src/schedules/decide.ts';
import { type Ledger, ticksOf } from '../../src/schedules/ledger.ts';
import { endOrphans } from '../../src/schedules/orphans.ts';
import { memoryMetadataStore } from './memory-metadata-store.ts';

/** A schedule of every night, as a test wants it. */
export function scheduleSpec(change: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return {
    pipeline: 'nightly',
    cron: '30 2 * * *',
    timeZone: 'Europe/Berlin',
    afterDocuments: null,
    afterMs: null,
    overlap: 'skip',
    catchUp: 'latest',
    catchUpWindowMs: 7 * 24 * 60 * 60 * 1000,
    pauseAfter: null,
    jitterMs: 0,
    profile: 'embedded',
    set: [],
    ...change,
  };
}

/** What happens around a schedule, moment by moment. */
export interface Script {
  readonly spec: ScheduleSpec;
  readonly from: number;
  readonly to: number;
  /** How often the scheduler looks. */
  readonly everyMs?: number;
  /** When the machine of the scheduler is down: what it runs dies with it. */
  readonly outages?: readonly (readonly [from: number, to: number])[];
  /** When another clock raises a tick, on a machine of its own. */
  readonly raises?: readonly number[];
  readonly runMs?: (tick: number) => number;
  readonly status?: (tick: number) => TickEnd;
}

/** What a script came to. */
export interface Played {
  readonly ledger: Ledger;
  readonly times: CronTimes;
  /** Runs as they began: the tick's key and how many of the schedule were running then, itself among them. */
  readonly runs: readonly { readonly key: string; readonly at: number; readonly atOnce: number }[];
}

interface Running {
  readonly key: string;
  readonly tick: number;
  readonly endsAt: number;
  readonly by: TickSource;
  cancelled: boolean;
}

const processOf = (pid: number): Holder => ({
  host: 'here',
  bootId: 'boot',
  pidNamespace: 'ns',
  pid,
  start: String(pid),
  command: 'twin schedule',
});

/** Plays a script on a clock of its own, with the decisions and the ledger that the command line uses. */
export async function play(script: Script): Promise<Played> {
  const { spec, from, to, everyMs = 60_000, outages = [], raises = [], runMs = () => 60_000, status = () => 'succeeded' } = script;
  let now = from;
  let pid = 0;
  const store = memoryMetadataStore(() => now);
  const book = openBook(store, 'nightly');
  const times = cronTimes(spec.cron!, spec.timeZone);
  const running = new Map<number, Running>();
  const runs: { key: string; at: number; atOnce: number }[] = [];
  await book.append(await book.read(), [{ type: 'added', at: now, spec }]);

  const note = async (records: readonly ScheduleRecord[]) => {
    while (!(await book.append(await book.read(), records)));
  };
  /** One process after the other looks until nothing more is due, as `twin schedule trigger` does. */
  const look = async (source: TickSource): Promise<void> => {
    for (let looks = 0; looks < 1000; looks++) {
      const ledger = await book.read();
      const ends = await endOrphans(ledger, now, { isRunning: async ({ holder }) => running.has(holder.pid), runs: async () => [] });
      const graceMs = source === 'scheduler' ? lateAfterMs : Infinity;
      const { records, claim } = ends.length > 0 ? { records: ends, claim: null } : decide(ledger, { now, times, data: null, graceMs });
      if (records.length === 0 && claim === null) return;
      const holder = processOf(claim === null ? pid : (pid += 1));
      const claimed: readonly ScheduleRecord[] =
        claim === null ? [] : [{ type: 'claimed', at: now, ...claim, source, holder, position: null }];
      await note([...records, ...claimed]);
      for (const key of (await book.read()).open.filter(({ cancelAsked }) => cancelAsked).map((open) => open.key))
        for (const one of running.values()) if (one.key === key) one.cancelled = true;
      if (claim === null) continue;
      running.set(pid, { key: claim.key, tick: claim.tick, endsAt: now + runMs(claim.tick), by: source, cancelled: false });
      runs.push({ key: claim.key, at: now, atOnce: running.size });
    }
    throw new Error('The schedule never comes to rest');
  };
  const isDown = () => outages.some(([begin, end]) => now >= begin && now < end);

  for (; now <= to; now += everyMs) {
    for (const [at, one] of running) {
      if (one.by === 'scheduler' && isDown()) running.delete(at);
      else if (one.cancelled || now >= one.endsAt) {
        running.delete(at);
        const ended = one.cancelled ? 'cancelled' : status(one.tick);
        const { failuresInARow } = await book.read();
        const pause = ended === 'failed' && spec.pauseAfter !== null && failuresInARow + 1 >= spec.pauseAfter;
        await note([
          { type: 'finished', at: now, key: one.key, status: ended, run: null, reason: null },
          ...(pause ? [{ type: 'paused', at: now, reason: 'failures' } as const] : []),
        ]);
        await look(one.by);
      }
    }
    if (raises.some((raise) => raise > now - everyMs && raise <= now)) await look('github-actions');
    if (!isDown()) await look('scheduler');
  }
  return { ledger: await book.read(), times, runs };
}

/** Times of a schedule that its ledger says nothing of; and those that it tells of twice. */
export function unaccounted({ ledger, times }: Played, from: number, to: number): readonly string[] {
  const told = ticksOf(ledger).filter(({ trigger }) => trigger === 'time');
  const wrong: string[] = [];
  for (const time of timesBetween(times, from, to)) {
    const of = told.filter(({ tick, last }) => tick <= time && time <= last);
    if (of.length !== 1) wrong.push(`${new Date(time).toISOString()} is told of ${of.length} times`);
  }
  return wrong;
}
