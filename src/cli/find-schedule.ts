import { nameHint } from '../config/name-hint.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ScheduleLine } from '../contracts/schedule.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { type Book, openBook, scheduleNames } from '../schedules/book.ts';
import { cronTimes } from '../schedules/cron.ts';
import { dueTicks, jitterOf, lateAfterMs } from '../schedules/decide.ts';
import { type Ledger, ticksOf } from '../schedules/ledger.ts';

/** The book of a schedule that is there; throws the problem of a name that is none. */
export async function findSchedule(store: MetadataStore, name: string): Promise<Book> {
  const book = openBook(store, name);
  if ((await book.read()).spec !== null) return book;
  const known = (await presentSchedules(store)).map((ledger) => ledger.name);
  throw new ProblemError({
    reason: 'unknown-schedule',
    message: `There is no schedule ${name}`,
    hint: known.length === 0 ? `Add it: twin schedule add ${name} --cron '17 2 * * *'` : nameHint(name, known, 'schedules'),
    exit: 2,
  });
}

/** The ledgers of all schedules that are there, by name. */
export async function presentSchedules(store: MetadataStore): Promise<readonly Ledger[]> {
  const ledgers = await Promise.all((await scheduleNames(store)).map((name) => openBook(store, name).read()));
  return ledgers.filter(({ spec }) => spec !== null);
}

/** A schedule as it is listed. */
export function scheduleLine(ledger: Ledger, now: number): ScheduleLine {
  const { name, paused } = ledger;
  const spec = ledger.spec!;
  const times = spec.cron === null ? null : cronTimes(spec.cron, spec.timeZone);
  const after = times?.after(Math.max(now, ledger.accountedTo)) ?? null;
  const due = dueTicks(ledger, times, now - lateAfterMs);
  return {
    type: 'schedule',
    name,
    state: paused === null ? 'active' : paused.reason === 'failures' ? 'paused after failures' : 'paused',
    spec,
    next: paused !== null || after === null ? null : after + jitterOf(name, after, spec.jitterMs),
    last: ticksOf(ledger).at(-1) ?? null,
    overdue: due.length,
  };
}
