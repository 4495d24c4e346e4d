import type { CommandOutcome } from '../../contracts/command-results.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { ScheduleRecord } from '../../contracts/schedule.ts';
import { amend, openBook } from '../../schedules/book.ts';
import { cronTimes } from '../../schedules/cron.ts';
import { dueTicks, skipped } from '../../schedules/decide.ts';
import { type Ledger, ticksOf } from '../../schedules/ledger.ts';
import { type CommandContext, done, refused, wholeNumber } from '../context.ts';
import { findSchedule, presentSchedules, scheduleLine } from '../find-schedule.ts';
import { openSession } from '../session.ts';

/** `twin schedule list`: when each runs next, and how it last went. */
export async function listSchedules(context: CommandContext): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const store = await session.value.wired.journal();
  const now = await store.now();
  return done({ type: 'schedules', schedules: (await presentSchedules(store)).map((ledger) => scheduleLine(ledger, now)) });
}

/** `twin schedule history <name>`: what became of each tick, newest first; also of a schedule that was removed. */
export async function scheduleHistory(context: CommandContext, options: { readonly limit: string }, name: string): Promise<CommandOutcome> {
  const limit = wholeNumber('--limit', options.limit);
  if (typeof limit !== 'number') return refused([limit]);
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const store = await session.value.wired.journal();
  const ledger = await openBook(store, name).read();
  if (ledger.seq === 0) await findSchedule(store, name);
  return done({ type: 'schedule-history', name, ticks: ticksOf(ledger).toReversed().slice(0, limit) });
}

/** `twin schedule pause <name>`. */
export function pauseSchedule(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  return change(context, name, 'paused', (ledger, at) => {
    if (ledger.paused !== null) return [];
    return [...accountFor(ledger, 'missed', at), { type: 'paused', at, reason: 'by-user' }];
  });
}

/** `twin schedule resume <name>`: ticks that fell due during the pause were skipped. */
export function resumeSchedule(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  return change(context, name, 'resumed', (ledger, at) => {
    if (ledger.paused === null) return [];
    return [...accountFor(ledger, 'paused', at), { type: 'resumed', at }];
  });
}

/** `twin schedule remove <name>`: its history stays, and a tick that is being run ends. */
export function removeSchedule(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  return change(context, name, 'removed', (ledger, at) => [...accountFor(ledger, 'removed', at), { type: 'removed', at }]);
}

/** Notes on all ticks that are due and will not be run any more. */
export function accountFor(ledger: Ledger, reason: 'missed' | 'paused' | 'removed' | 'replaced', now: number): readonly ScheduleRecord[] {
  const { spec, buffered } = ledger;
  const times = spec?.cron == null ? null : cronTimes(spec.cron, spec.timeZone);
  const waiting: readonly ScheduleRecord[] =
    reason === 'removed' && buffered !== null
      ? [
          {
            type: 'skipped',
            at: now,
            first: buffered.tick,
            last: buffered.tick,
            count: 1,
            reason,
            trigger: buffered.trigger,
            key: buffered.key,
          },
        ]
      : [];
  return [...waiting, ...skipped(dueTicks(ledger, times, now), reason, now)];
}

async function change(
  context: CommandContext,
  name: string,
  what: 'paused' | 'resumed' | 'removed',
  recordsOf: (ledger: Ledger, at: number) => readonly ScheduleRecord[],
): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const store = await session.value.wired.journal();
  const book = await findSchedule(store, name);
  const { decided } = await amend(book, async (ledger) => {
    if (ledger.spec === null) throw removedMeanwhile(name);
    const records = recordsOf(ledger, await store.now());
    return { records, decided: records.length > 0 };
  });
  const ledger = await book.read();
  const line = ledger.spec === null ? null : scheduleLine(ledger, await store.now());
  return done({ type: 'schedule-changed', name, change: decided ? what : 'unchanged', schedule: line });
}

function removedMeanwhile(name: string): ProblemError {
  return new ProblemError({
    reason: 'unknown-schedule',
    message: `Schedule ${name} was removed meanwhile`,
    hint: 'See: twin schedule list',
    exit: 2,
  });
}
