import type { Finding } from '../contracts/command-results.ts';
import { scheduleNames } from '../schedules/book.ts';
import type { Ledger } from '../schedules/ledger.ts';
import type { Session } from './session.ts';

/** How far back missed ticks are told of. */
const lookBackMs = 14 * 24 * 60 * 60 * 1000;
/** A tick that is overdue by less may still be raised by a slow clock. */
const slackMs = 60 * 60 * 1000;

/** Nights that never ran: ticks that nobody raised, ticks that were missed, and schedules that are paused. */
export async function checkSchedules({ wired }: Session): Promise<readonly Finding[]> {
  const store = await wired.journal();
  // Most folders have no schedule, and need no library to tell.
  if ((await scheduleNames(store)).length === 0) return [];
  const { presentSchedules } = await import('./find-schedule.ts');
  const now = await store.now();
  return Promise.all((await presentSchedules(store)).map((ledger) => findingFor(ledger, now)));
}

async function findingFor(ledger: Ledger, now: number): Promise<Finding> {
  const { name, paused } = ledger;
  const { scheduleLine } = await import('./find-schedule.ts');
  const { timeKey } = await import('../schedules/ledger.ts');
  const { state, next, overdue } = scheduleLine(ledger, now - slackMs);
  const missed = [...ledger.ticks.values()].filter(
    ({ state, reason, last }) => state === 'skipped' && (reason === 'missed' || reason === 'too-old') && now - last <= lookBackMs,
  );
  const missedCount = missed.reduce((sum, { count }) => sum + count, 0);
  const finding = (found: string, fix: string | null): Finding => ({
    type: 'finding',
    subject: `schedule ${name}`,
    state: fix === null ? 'ok' : 'warn',
    found,
    where: null,
    fix,
  });
  if (paused !== null) return finding(`${state} since ${timeKey(paused.at)}`, `twin schedule resume ${name}`);
  if (overdue > 0)
    return finding(
      `${ticks(overdue)} never ran, since ${timeKey(ledger.accountedTo)}: nothing raises them`,
      `twin schedule start, or twin schedule trigger ${name}`,
    );
  if (missedCount > 0) return finding(`${ticks(missedCount)} of the last 14 days were missed`, `twin schedule history ${name}`);
  return finding(next === null ? 'watches documents' : `next tick ${timeKey(next)}`, null);
}

function ticks(count: number): string {
  return count === 1 ? '1 tick' : `${count} ticks`;
}
