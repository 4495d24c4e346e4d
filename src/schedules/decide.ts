import { sha256 } from '../contracts/digest.ts';
import type { ScheduleRecord, ScheduleSpec, TickSkip, TickTrigger } from '../contracts/schedule.ts';
import { type CronTimes, timesBetween } from './cron.ts';
import { type Ledger, timeKey } from './ledger.ts';

/** A tick that is later than this was late, and was not simply the next to be looked at. */
export const lateAfterMs = 60_000;
/** A tick whose process dies is begun again so often. */
const attemptsAtMost = 3;

/** A tick that documents made fall due. */
export interface DataTick {
  readonly trigger: 'documents' | 'freshness';
  readonly key: string;
}

/** A tick to be run now. */
export interface ClaimedTick {
  readonly key: string;
  readonly tick: number;
  readonly trigger: TickTrigger;
  readonly attempt: number;
  readonly lateMs: number;
  readonly caughtUp: boolean;
}

/** What is to be done about a schedule at a moment: what to note first, then which tick to run; another look is due after that. */
export interface Decision {
  readonly records: readonly ScheduleRecord[];
  readonly claim: ClaimedTick | null;
}

/** What is looked at beside the ledger. */
export interface Moment {
  readonly now: number;
  /** Null for a schedule without a cron expression. */
  readonly times: CronTimes | null;
  /** What documents made fall due, if anything. */
  readonly data: DataTick | null;
  /** How late the newest tick may be without counting as missed: a minute for the scheduler, any time for another clock that raises it. */
  readonly graceMs: number;
  /** Ticks after this moment are left for later. */
  readonly upTo?: number;
}

/** How much later than its logical time a tick begins: up to the spec's jitter, always the same for the same tick. */
export function jitterOf(name: string, tick: number, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  return Number.parseInt(sha256(`${name} ${timeKey(tick)}`).slice(0, 12), 16) % jitterMs;
}

/** Ticks by the clock that nobody has accounted for, oldest first. */
export function dueTicks(ledger: Ledger, times: CronTimes | null, now: number, jitter = true): readonly number[] {
  const { spec } = ledger;
  if (spec === null || times === null) return [];
  const ticks = timesBetween(times, ledger.accountedTo, now);
  const notYet = jitter ? ticks.findIndex((tick) => tick + jitterOf(ledger.name, tick, spec.jitterMs) > now) : -1;
  return (notYet === -1 ? ticks : ticks.slice(0, notYet)).filter((tick) => !ledger.ticks.has(timeKey(tick)));
}

/** Decides by the ledger alone, so that whoever looks comes to the same answer; it takes effect by being appended to the stream that it was read from. */
export function decide(ledger: Ledger, moment: Moment): Decision {
  const { spec } = ledger;
  const { now } = moment;
  if (spec === null) return { records: [], claim: null };
  // Another clock is late enough without jitter.
  const due = dueTicks(ledger, moment.times, Math.min(now, moment.upTo ?? now), moment.graceMs !== Infinity);
  if (ledger.paused !== null) {
    const before = due.filter((tick) => tick < ledger.paused!.at);
    return { records: [...skipped(before, 'missed', now), ...skipped(due.slice(before.length), 'paused', now)], claim: null };
  }
  const busy = ledger.open.length > 0 && spec.overlap !== 'allow';
  if (!busy) {
    const again = interruptedTick(ledger, spec, now) ?? bufferedTick(ledger, now);
    if (again) return { records: [], claim: again };
  }
  const { lost, wanted } = caughtUp(due, spec, moment);
  const [first] = wanted;
  if (first === undefined) return { records: lost, claim: busy ? null : dataClaim(moment) };
  if (!busy) return { records: lost, claim: timeClaim(ledger, spec, first, moment, due.length > 1) };
  // What fell due before the running one began waits for its turn; only what fell due since overlaps with it.
  if (first <= Math.min(...ledger.open.map(({ at }) => at))) return { records: lost, claim: null };
  return { records: [...lost, ...overlapping(ledger, spec, wanted, now)], claim: null };
}

/** Which due ticks are to be run, oldest first, and the notes on those that are not. */
function caughtUp(due: readonly number[], spec: ScheduleSpec, { now, graceMs }: Moment) {
  const windowMs = spec.catchUp === 'none' ? graceMs : Math.max(spec.catchUpWindowMs, lateAfterMs);
  const recent = due.filter((tick) => now - tick - spec.jitterMs <= windowMs);
  // A tick that another clock raises is not given up because that clock was slow.
  const kept = recent.length === 0 && graceMs === Infinity ? due.slice(-1) : recent;
  const wanted = spec.catchUp === 'all' ? kept : kept.slice(-1);
  const old = skipped(due.slice(0, due.length - kept.length), spec.catchUp === 'none' ? 'missed' : 'too-old', now);
  return { wanted, lost: [...old, ...skipped(kept.slice(0, kept.length - wanted.length), 'missed', now)] };
}

function overlapping(ledger: Ledger, spec: ScheduleSpec, wanted: readonly number[], now: number): readonly ScheduleRecord[] {
  const newest = wanted.at(-1)!;
  const buffer = (tick: number): ScheduleRecord => ({ type: 'buffered', at: now, key: timeKey(tick), tick, trigger: 'time' });
  switch (spec.overlap) {
    case 'allow':
    case 'skip':
      return skipped(wanted, 'overlap', now);
    case 'buffer-one':
      return ledger.buffered ? skipped(wanted, 'overlap', now) : [buffer(wanted[0]!), ...skipped(wanted.slice(1), 'overlap', now)];
    case 'cancel-other':
      return [
        ...replaceBuffered(ledger, now),
        ...skipped(wanted.slice(0, -1), 'overlap', now),
        ...askToCancel(ledger, now),
        buffer(newest),
      ];
  }
}

/** What is noted when a tick of its own is asked for while others run. */
export function overlapsManually(ledger: Ledger, key: string, now: number): readonly ScheduleRecord[] {
  const buffer: ScheduleRecord = { type: 'buffered', at: now, key, tick: now, trigger: 'manual' };
  const skip: ScheduleRecord = { type: 'skipped', at: now, first: now, last: now, count: 1, reason: 'overlap', trigger: 'manual', key };
  switch (ledger.spec?.overlap) {
    case 'buffer-one':
      return [ledger.buffered ? skip : buffer];
    case 'cancel-other':
      return [...replaceBuffered(ledger, now), ...askToCancel(ledger, now), buffer];
    default:
      return [skip];
  }
}

function askToCancel(ledger: Ledger, now: number): readonly ScheduleRecord[] {
  const keys = ledger.open.filter(({ cancelAsked }) => !cancelAsked).map(({ key }) => key);
  return keys.length === 0 ? [] : [{ type: 'cancel-asked', at: now, keys }];
}

function replaceBuffered({ buffered }: Ledger, now: number): readonly ScheduleRecord[] {
  if (buffered === null) return [];
  const { key, tick, trigger } = buffered;
  return [{ type: 'skipped', at: now, first: tick, last: tick, count: 1, reason: 'overlap', trigger, key }];
}

function timeClaim({ name }: Ledger, { jitterMs }: ScheduleSpec, tick: number, { now, graceMs }: Moment, several: boolean): ClaimedTick {
  const lateMs = Math.max(0, now - tick - jitterOf(name, tick, jitterMs));
  return { key: timeKey(tick), tick, trigger: 'time', attempt: 1, lateMs, caughtUp: several || lateMs > graceMs };
}

function dataClaim({ data, now }: Moment): ClaimedTick | null {
  return data && { ...data, tick: now, attempt: 1, lateMs: 0, caughtUp: false };
}

function bufferedTick({ buffered }: Ledger, now: number): ClaimedTick | null {
  if (buffered === null) return null;
  const { key, tick, trigger } = buffered;
  return { key, tick, trigger, attempt: 1, lateMs: Math.max(0, now - tick), caughtUp: false };
}

/** The tick whose process died, where its work is still wanted: the newest of all, or with catch-up all each one. */
function interruptedTick(ledger: Ledger, spec: ScheduleSpec, now: number): ClaimedTick | null {
  if (spec.catchUp === 'none') return null;
  const ticks = [...ledger.ticks.values()];
  const newest = Math.max(...ticks.filter(({ attempts }) => attempts > 0).map(({ tick }) => tick));
  const found = ticks.find(
    ({ state, attempts, tick }) =>
      state === 'interrupted' &&
      attempts < attemptsAtMost &&
      now - tick <= spec.catchUpWindowMs &&
      (spec.catchUp === 'all' || tick === newest),
  );
  if (!found) return null;
  const { key, tick, trigger, attempts } = found;
  return { key, tick, trigger, attempt: attempts + 1, lateMs: Math.max(0, now - tick), caughtUp: true };
}

/** The note on ticks by the clock that are not run; none where there are none. */
export function skipped(ticks: readonly number[], reason: TickSkip, now: number): readonly ScheduleRecord[] {
  const [first] = ticks;
  if (first === undefined) return [];
  const last = ticks.at(-1)!;
  return [{ type: 'skipped', at: now, first, last, count: ticks.length, reason, trigger: 'time', key: timeKey(first) }];
}
