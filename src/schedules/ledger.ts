import type { FeedPosition, ScheduleRecord, ScheduleSpec, TickView } from '../contracts/schedule.ts';
import type { Holder } from '../contracts/run.ts';

/** A tick that was claimed and has not ended. */
export interface OpenTick {
  readonly key: string;
  readonly tick: number;
  readonly attempt: number;
  readonly holder: Holder;
  readonly at: number;
  readonly run: string | null;
  readonly cancelAsked: boolean;
}

/** Everything that the stream of a schedule comes to. */
export interface Ledger {
  readonly name: string;
  /** Null where it was never added, or was removed. */
  readonly spec: ScheduleSpec | null;
  /** Ticks up to this moment are accounted for, or were before the schedule was there. */
  readonly accountedTo: number;
  readonly paused: { readonly at: number; readonly reason: 'by-user' | 'failures' } | null;
  /** By key, in the order in which they were first told of. */
  readonly ticks: ReadonlyMap<string, TickView>;
  readonly open: readonly OpenTick[];
  readonly buffered: TickView | null;
  readonly failuresInARow: number;
  /** How far the change feed was when the last tick was claimed. */
  readonly position: FeedPosition | null;
  /** Position in the stream. */
  readonly seq: number;
}

/** The key of a tick by the clock. */
export function timeKey(tick: number): string {
  return new Date(tick).toISOString().replace('.000Z', 'Z');
}

/** A schedule of which nothing is known. */
export function emptyLedger(name: string): Ledger {
  return {
    name,
    spec: null,
    accountedTo: 0,
    paused: null,
    ticks: new Map(),
    open: [],
    buffered: null,
    failuresInARow: 0,
    position: null,
    seq: 0,
  };
}

/** The ledger after more records. */
export function foldLedger(before: Ledger, records: readonly ScheduleRecord[]): Ledger {
  const ledger: { -readonly [Key in keyof Ledger]: Ledger[Key] } = { ...before, seq: before.seq + records.length };
  const ticks = new Map(before.ticks);
  const open = new Map(before.open.map((tick) => [tick.key, tick]));
  const put = (key: string, change: Partial<TickView>) => {
    const known = ticks.get(key) ?? { ...newTick, schedule: before.name, key, timeZone: ledger.spec?.timeZone ?? 'UTC' };
    ticks.set(key, { ...known, ...change });
  };
  for (const record of records) {
    switch (record.type) {
      case 'added':
        ledger.spec = record.spec;
        ledger.accountedTo = Math.max(ledger.accountedTo, record.at);
        break;
      case 'removed':
        ledger.spec = null;
        ledger.paused = null;
        ledger.buffered = null;
        ledger.failuresInARow = 0;
        break;
      case 'paused':
        ledger.paused = { at: record.at, reason: record.reason };
        break;
      case 'resumed':
        ledger.paused = null;
        ledger.failuresInARow = 0;
        break;
      case 'skipped': {
        const { key, first, last, count, reason, trigger, at } = record;
        put(key, { tick: first, last, count, reason, trigger, at, state: 'skipped', endedAt: at });
        if (trigger === 'time') ledger.accountedTo = Math.max(ledger.accountedTo, last);
        if (ledger.buffered?.key === key) ledger.buffered = null;
        break;
      }
      case 'buffered': {
        const { key, tick, trigger, at } = record;
        put(key, { tick, last: tick, trigger, at, state: 'buffered' });
        ledger.buffered = ticks.get(key)!;
        if (trigger === 'time') ledger.accountedTo = Math.max(ledger.accountedTo, tick);
        break;
      }
      case 'cancel-asked':
        for (const key of record.keys) {
          const asked = open.get(key);
          if (asked) open.set(key, { ...asked, cancelAsked: true });
        }
        break;
      case 'claimed': {
        const { key, tick, trigger, source, attempt, lateMs, caughtUp, holder, position, at } = record;
        put(key, {
          tick,
          last: tick,
          trigger,
          source,
          lateMs,
          caughtUp,
          attempts: attempt,
          at,
          state: 'running',
          reason: null,
          endedAt: null,
        });
        open.set(key, { key, tick, attempt, holder, at, run: null, cancelAsked: false });
        if (trigger === 'time') ledger.accountedTo = Math.max(ledger.accountedTo, tick);
        if (ledger.buffered?.key === key) ledger.buffered = null;
        if (position) ledger.position = position;
        break;
      }
      case 'started': {
        put(record.key, { run: record.run });
        const claimed = open.get(record.key);
        if (claimed) open.set(record.key, { ...claimed, run: record.run });
        break;
      }
      case 'finished': {
        const { key, status, reason, at, run } = record;
        put(key, { state: status, reason, endedAt: at, ...(run !== null && { run }) });
        open.delete(key);
        if (status === 'failed') ledger.failuresInARow++;
        else if (status === 'succeeded' || status === 'refused') ledger.failuresInARow = 0;
        break;
      }
    }
  }
  return { ...ledger, ticks, open: [...open.values()] };
}

const newTick: Omit<TickView, 'schedule' | 'key' | 'timeZone'> = {
  tick: 0,
  last: 0,
  count: 1,
  trigger: 'time',
  source: null,
  state: 'skipped',
  reason: null,
  lateMs: null,
  caughtUp: false,
  attempts: 0,
  run: null,
  at: 0,
  endedAt: null,
};

/** Ticks of a schedule, oldest first. */
export function ticksOf(ledger: Ledger): readonly TickView[] {
  return [...ledger.ticks.values()].toSorted((left, right) => left.tick - right.tick || left.at - right.at);
}
