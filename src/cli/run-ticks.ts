import type { CommandOutcome } from '../contracts/command-results.ts';
import type { RunFinished } from '../contracts/events/run.ts';
import type { Problem } from '../contracts/problem.ts';
import type { FeedPosition, ScheduleRecord, TickEnd, TickSource } from '../contracts/schedule.ts';
import { acquireLease, type Lease } from '../engine/locks.ts';
import { leasesTable } from '../history/tables.ts';
import { listRuns } from '../history/runs.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { amend, type Book } from '../schedules/book.ts';
import { cronTimes } from '../schedules/cron.ts';
import { dueByData } from '../schedules/data-due.ts';
import { type ClaimedTick, type Decision, decide } from '../schedules/decide.ts';
import type { Ledger, OpenTick } from '../schedules/ledger.ts';
import { endOrphans } from '../schedules/orphans.ts';
import { currentHolder, isDeadForSure } from '../workers/holder.ts';
import type { CommandContext } from './context.ts';
import type { Session } from './session.ts';

/** How often the runner of a tick looks whether it is asked to stop. */
const askedEveryMs = 2000;
/** A claim whose process has not yet taken its lease is given so long. */
const claimSettlesMs = 30_000;

/** What a look at a schedule comes to. */
export interface Look {
  readonly ledger: Ledger;
  readonly decision: Decision;
  readonly position: FeedPosition | null;
}

/** Looks at a schedule: ends what died, and decides what is due at a moment by the store's clock. */
export async function lookAt(session: Session, ledger: Ledger, now: number, graceMs: number, upTo = now): Promise<Look> {
  const store = await session.wired.journal();
  const ends = await endOrphans(ledger, now, {
    isRunning: (tick) => isRunning(store, ledger.name, tick, now),
    runs: (pipeline) => listRuns(store, { pipeline, limit: 100 }),
  });
  // What ended is told first; the next look decides by it.
  if (ends.length > 0) return { ledger, decision: { records: ends, claim: null }, position: null };
  const { spec } = ledger;
  const times = spec?.cron == null ? null : cronTimes(spec.cron, spec.timeZone);
  const needsData = spec !== null && (spec.afterDocuments !== null || spec.afterMs !== null);
  const data = needsData
    ? await dueByData(ledger, { feed: await session.wired.ports.open('changeFeed'), store }, now)
    : { due: null, position: null };
  return { ledger, decision: decide(ledger, { now, times, data: data.due, graceMs, upTo }), position: data.position };
}

function leaseOf(name: string, key: string): string {
  return `tick/${name}/${key}`;
}

async function isRunning(store: MetadataStore, name: string, tick: OpenTick, now: number): Promise<boolean> {
  if (isDeadForSure(tick.holder)) return false;
  const [lease] = await store.get(leasesTable, [leaseOf(name, tick.key)]);
  return lease !== null || now - tick.at < claimSettlesMs;
}

/** A tick that was claimed by this process, to be run. */
export interface Claim {
  readonly tick: ClaimedTick;
  readonly ledger: Ledger;
  readonly lease: Lease;
  readonly source: TickSource;
}

/** Claims a tick by compare-and-set on its schedule's stream: null where somebody else was faster. */
export async function claimTick(
  context: CommandContext,
  book: Book,
  { ledger, decision, position }: Look,
  store: MetadataStore,
  source: TickSource,
): Promise<Claim | null> {
  const { claim: tick, records } = decision;
  if (tick === null) return null;
  const holder = currentHolder(context.line);
  const patience = { signal: context.signal, noWait: true, onWait: () => undefined };
  const lease = await acquireLease({ store, holder, isDead: isDeadForSure }, leaseOf(book.name, tick.key), patience).catch(() => null);
  if (lease === null) return null;
  const claimed: ScheduleRecord = { type: 'claimed', at: await store.now(), ...tick, source, holder, position };
  if (await book.append(ledger, [...records, claimed])) return { tick, ledger, lease, source };
  await lease.release();
  return null;
}

/** Runs a claimed tick's pipeline and writes down how it ended. */
export async function runTick(
  context: CommandContext,
  book: Book,
  { tick, ledger, lease, source }: Claim,
  store: MetadataStore,
): Promise<number> {
  const spec = ledger.spec!;
  const { key } = tick;
  const stop = new AbortController();
  const asked = watchForCancel(book, key, stop);
  let finished: RunFinished | null = null;
  let run: string | null = null;
  let told: Promise<unknown> = Promise.resolve();
  const closing: (() => Promise<void>)[] = [];
  const inner: CommandContext = {
    ...context,
    profile: spec.profile,
    signal: AbortSignal.any([context.signal, stop.signal]),
    onEnd: (close) => void closing.push(close),
    emit(event) {
      if (event.type === 'run-started') {
        run = event.run;
        told = store.now().then((at) => note(book, { type: 'started', at, key, run: event.run }));
      }
      if (event.type === 'run-finished') finished = event;
      context.emit(event);
    },
  };
  // A tick that the scheduler was running when it was stopped is not given up: its next start begins it again.
  const stopped = (): TickEnd => (source === 'scheduler' ? 'interrupted' : 'cancelled');
  const finish = async (status: TickEnd, reason: string | null) => {
    await told;
    await amend(book, async (now) => ({ records: await endRecords(now, store, { key, run, status, reason }), decided: null }));
  };
  try {
    const outcome = await runPipelineOf(inner, spec.pipeline, spec.set);
    if (outcome.problems.length > 0) context.complain(outcome.problems);
    for (const close of closing.toReversed()) await close();
    const { status, reason } = endOf(finished, outcome.problems, stop.signal.aborted);
    if (status === 'cancelled' && context.signal.aborted) await finish(stopped(), 'it was told to stop');
    else await finish(status, reason);
    return outcome.exit;
  } catch (error) {
    if (context.signal.aborted || stop.signal.aborted) {
      await finish(context.signal.aborted ? stopped() : 'cancelled', 'it was told to stop');
      return 1;
    }
    await finish('failed', 'bug');
    throw error;
  } finally {
    clearInterval(asked);
    await lease.release().catch(() => undefined);
  }
}

async function runPipelineOf(context: CommandContext, pipeline: string, set: readonly string[]): Promise<CommandOutcome> {
  const [{ openPipeline }, { runPipeline }] = await Promise.all([import('./pipeline-run.ts'), import('./run-pipeline.ts')]);
  const opened = await openPipeline(context, pipeline, { set });
  if (!opened.ok) return { result: { type: 'none' }, problems: opened.error, exit: opened.error[0]?.exit ?? 1 };
  return await runPipeline(context, opened.value, {});
}

function watchForCancel(book: Book, key: string, stop: AbortController): NodeJS.Timeout {
  const look = async () => {
    const { open } = await book.read();
    if (open.find((tick) => tick.key === key)?.cancelAsked === true) stop.abort();
  };
  const timer = setInterval(() => void look().catch(() => undefined), askedEveryMs);
  timer.unref();
  return timer;
}

function endOf(
  finished: RunFinished | null,
  problems: readonly Problem[],
  askedToStop: boolean,
): { status: TickEnd; reason: string | null } {
  if (askedToStop) return { status: 'cancelled', reason: 'a later tick took its place' };
  if (finished !== null) return { status: finished.status, reason: finished.reason };
  return { status: 'failed', reason: problems[0]?.reason ?? null };
}

/** The end of a tick, and the pause that it leads to. */
async function endRecords(
  { spec, failuresInARow }: Ledger,
  store: MetadataStore,
  end: { readonly key: string; readonly run: string | null; readonly status: TickEnd; readonly reason: string | null },
): Promise<readonly ScheduleRecord[]> {
  const at = await store.now();
  const finished: ScheduleRecord = { type: 'finished', at, ...end };
  const pauses = end.status === 'failed' && spec?.pauseAfter != null && failuresInARow + 1 >= spec.pauseAfter;
  return pauses ? [finished, { type: 'paused', at, reason: 'failures' }] : [finished];
}

/** Appends a record wherever the stream ends. */
async function note(book: Book, record: ScheduleRecord): Promise<void> {
  await amend(book, () => Promise.resolve({ records: [record], decided: null }));
}
