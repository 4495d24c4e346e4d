import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { TickSource, TickView } from '../../contracts/schedule.ts';
import type { MetadataStore } from '../../ports/metadata-store.ts';
import type { Book } from '../../schedules/book.ts';
import { cronTimes } from '../../schedules/cron.ts';
import { lateAfterMs, overlapsManually } from '../../schedules/decide.ts';
import { type Ledger, ticksOf, timeKey } from '../../schedules/ledger.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findSchedule } from '../find-schedule.ts';
import { claimTick, type Look, lookAt, runTick } from '../run-ticks.ts';
import { openSession, type Session } from '../session.ts';

const againMs = 50;

/** Options of `twin schedule trigger`. */
export interface TriggerFlags {
  readonly tick?: string;
  readonly now?: true;
  /** Raised by `twin schedule start`, for which lateness counts. */
  readonly byScheduler?: true;
}

/** `twin schedule trigger <name>`: runs what is due and was not run, whoever asks and however often. */
export async function triggerSchedule(context: CommandContext, flags: TriggerFlags, name: string): Promise<CommandOutcome> {
  const session = await openSession(context);
  return session.ok ? await triggerIn(context, session.value, flags, name) : refused(session.error);
}

/** The same in a session that is open. */
export async function triggerIn(context: CommandContext, session: Session, flags: TriggerFlags, name: string): Promise<CommandOutcome> {
  const store = await session.wired.journal();
  const book = await findSchedule(store, name);
  const source: TickSource =
    flags.byScheduler === true ? 'scheduler' : context.environment['GITHUB_ACTIONS'] === 'true' ? 'github-actions' : 'command';
  const asked = await askedTick(flags, await book.read(), await store.now());
  const ran = new Set<string>();
  let exit = 0;
  while (!context.signal.aborted) {
    const look = await nextLook(session, book, store, { asked, source, first: ran.size === 0 });
    const claim = await claimTick(context, book, look, store, source);
    if (claim === null) {
      const { records, claim: lostClaim } = look.decision;
      // What was noted, or written by somebody else, may make another tick due.
      const written = lostClaim === null && (await book.append(look.ledger, records));
      if (written && !records.some(({ type }) => type === 'finished')) break;
      await delay(againMs, undefined, { signal: context.signal }).catch(() => undefined);
      continue;
    }
    ran.add(claim.tick.key);
    exit = Math.max(exit, await runTick(context, book, claim, store));
  }
  const ledger = await book.read();
  const ticks = [...ran].map((key) => ledger.ticks.get(key)!);
  if (ran.size > 0 || source === 'scheduler') return done({ type: 'schedule-ticks', ticks, reason: null }, exit);
  return done({ type: 'schedule-ticks', ticks: [], reason: nothingDue(ledger, asked) });
}

/** A tick that was named or asked for by hand. */
interface AskedTick {
  readonly key: string;
  readonly tick: number;
  readonly trigger: 'time' | 'manual';
}

async function askedTick({ tick, now: ownTick }: TriggerFlags, ledger: Ledger, now: number): Promise<AskedTick | null> {
  if (ownTick === true) return { key: `manual ${timeKey(now)}`, tick: now, trigger: 'manual' };
  if (tick === undefined) return null;
  const time = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(tick) ? Date.parse(tick) : Number.NaN;
  const refusal = (reason: string, message: string, expected: string, hint: string) =>
    new ProblemError({ reason, message, where: '--tick', expected, found: tick, hint, exit: 2 });
  if (Number.isNaN(time))
    throw refusal('invalid-flag', '--tick is no moment', 'date, time and offset', 'For example: --tick 2026-03-29T02:17:00+01:00');
  const { spec, name } = ledger;
  if (spec?.cron == null)
    throw refusal(
      'no-ticks',
      `${name} has no ticks by the clock`,
      'a schedule with --cron',
      `A tick of its own: twin schedule trigger ${name} --now`,
    );
  const times = cronTimes(spec.cron, spec.timeZone);
  const next = times.after(time - 1000);
  if (next !== time)
    throw refusal(
      'no-such-tick',
      `${name} has no tick at that time`,
      `a time of '${spec.cron}' (${spec.timeZone})`,
      next === null ? 'See: twin schedule list' : `The next one is ${timeKey(next)}`,
    );
  if (time > now)
    throw refusal(
      'tick-not-due',
      `That tick of ${name} is not due yet`,
      'a time that has come',
      `A tick of its own: twin schedule trigger ${name} --now`,
    );
  return { key: timeKey(time), tick: time, trigger: 'time' };
}

interface Asking {
  readonly asked: AskedTick | null;
  readonly source: TickSource;
  /** Nothing was run yet: afterwards only what waited for it is. */
  readonly first: boolean;
}

async function nextLook(session: Session, book: Book, store: MetadataStore, { asked, source, first }: Asking): Promise<Look> {
  const ledger = await book.read();
  const now = await store.now();
  if (asked === null || !first) return await lookAt(session, ledger, now, source === 'scheduler' ? lateAfterMs : Infinity);
  const ends = await lookAt(session, { ...ledger, spec: null }, now, 0);
  if (ends.decision.records.length > 0) return { ...ends, ledger };
  const nothing = { ledger, decision: { records: [], claim: null }, position: null };
  const known = ledger.ticks.get(asked.key);
  const lateMs = Math.max(0, now - asked.tick);
  const claim = { ...asked, attempt: (known?.attempts ?? 0) + 1, lateMs, caughtUp: asked.trigger === 'time' };
  if (asked.trigger === 'time' && known === undefined && asked.tick > ledger.accountedTo)
    return await lookAt(session, ledger, now, Infinity, asked.tick);
  const runnable = known === undefined || (asked.trigger === 'time' && (known.state === 'skipped' || known.state === 'interrupted'));
  if (!runnable) return nothing;
  if (ledger.open.length > 0 && ledger.spec?.overlap !== 'allow')
    return asked.trigger === 'manual'
      ? { ...nothing, decision: { records: overlapsManually(ledger, asked.key, now), claim: null } }
      : nothing;
  return { ...nothing, decision: { records: [], claim }, position: ledger.position };
}

/** Why nothing was run, as the ledger tells it. */
function nothingDue(
  ledger: Ledger,
  asked: AskedTick | null,
): { readonly kind: 'paused' | 'known' | 'not-due'; readonly tick: TickView | null } {
  const tick =
    (asked && ledger.ticks.get(asked.key)) ?? ledger.open.map(({ key }) => ledger.ticks.get(key)!).at(-1) ?? ticksOf(ledger).at(-1) ?? null;
  if (ledger.paused !== null) return { kind: 'paused', tick };
  return { kind: tick === null ? 'not-due' : 'known', tick };
}
