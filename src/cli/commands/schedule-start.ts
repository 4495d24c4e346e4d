import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { TickView } from '../../contracts/schedule.ts';
import { acquireLease, type Lease } from '../../engine/locks.ts';
import type { MetadataStore } from '../../ports/metadata-store.ts';
import { type Book, openBook, scheduleNames } from '../../schedules/book.ts';
import { lateAfterMs } from '../../schedules/decide.ts';
import type { Ledger } from '../../schedules/ledger.ts';
import { currentHolder, isDeadForSure } from '../../workers/holder.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { installation } from '../project.ts';
import { lookAt } from '../run-ticks.ts';
import { openSession, type Session } from '../session.ts';

/** How long the scheduler sleeps at most: clocks jump, machines are suspended, and schedules change meanwhile. */
const lookEveryMs = 1000;
/** How often a change feed is asked whether documents made something fall due. */
const dataEveryMs = 10_000;

/** `twin schedule start`: runs ticks as they fall due, each in a process of its own, until it is stopped. */
export async function startScheduler(context: CommandContext, flags: { readonly wait?: boolean }): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const store = await session.value.wired.journal();
  const lease = await takePlace(context, store, flags.wait === false);
  if (lease === null) return done({ type: 'none' });
  const scheduler = new Scheduler(context, session.value, store);
  try {
    context.progress(`Scheduler runs. ${await scheduler.next()}`);
    await scheduler.run(AbortSignal.any([context.signal, lease.lost]));
    if (lease.lost.aborted) throw lease.lost.reason;
  } finally {
    await scheduler.stop();
    await lease.release().catch(() => undefined);
  }
  return done({ type: 'none' });
}

/** One scheduler a store: waits for another one to end, unless told not to; null where it was stopped meanwhile. */
async function takePlace(context: CommandContext, store: MetadataStore, noWait: boolean): Promise<Lease | null> {
  const client = { store, holder: currentHolder(context.line), isDead: isDeadForSure };
  try {
    return await acquireLease(client, 'scheduler/the scheduler of this store', {
      signal: context.signal,
      noWait,
      onWait: ({ command, pid, host }) => context.progress(`Waiting: ${command} (pid ${pid} on ${host}) is the scheduler of this store.`),
    });
  } catch (error) {
    if (context.signal.aborted) return null;
    throw error;
  }
}

class Scheduler {
  readonly #context: CommandContext;
  readonly #session: Session;
  readonly #store: MetadataStore;
  readonly #books = new Map<string, Book>();
  /** Ticks that were told of, by schedule and key, in the state that was told. */
  readonly #told = new Map<string, string>();
  /** Processes that run ticks, by schedule: one that has just begun may not yet have claimed its own. */
  readonly #children = new Map<ReturnType<typeof spawn>, string>();
  #dataAskedAt = -Infinity;

  constructor(context: CommandContext, session: Session, store: MetadataStore) {
    this.#context = context;
    this.#session = session;
    this.#store = store;
  }

  async run(signal: AbortSignal): Promise<void> {
    const since = await this.#store.now();
    while (!signal.aborted) {
      const asksData = performance.now() - this.#dataAskedAt >= dataEveryMs;
      if (asksData) this.#dataAskedAt = performance.now();
      for (const book of await this.#present()) await this.#lookAt(book, since, asksData);
      await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Says what comes next. */
  async next(): Promise<string> {
    const { presentSchedules, scheduleLine } = await import('../find-schedule.ts');
    const now = await this.#store.now();
    const lines = (await presentSchedules(this.#store)).map((ledger) => scheduleLine(ledger, now));
    const [soonest] = lines.filter(({ next }) => next !== null).toSorted((left, right) => left.next! - right.next!);
    if (lines.length === 0) return 'There are no schedules yet: twin schedule add';
    const count = lines.length === 1 ? '1 schedule' : `${lines.length} schedules`;
    return soonest === undefined ? `${count}.` : `${count}; next is ${soonest.name} at ${new Date(soonest.next!).toISOString()}.`;
  }

  /** Asks every running tick to stop in order, and waits for it. */
  async stop(): Promise<void> {
    const ended = [...this.#children.keys()].map((child) => new Promise((settled) => child.once('exit', settled)));
    for (const child of this.#children.keys()) child.kill('SIGTERM');
    await Promise.all(ended);
  }

  async #present(): Promise<readonly Book[]> {
    for (const name of await scheduleNames(this.#store)) if (!this.#books.has(name)) this.#books.set(name, openBook(this.#store, name));
    return [...this.#books.values()];
  }

  async #lookAt(book: Book, since: number, asksData: boolean): Promise<void> {
    const before = await book.read();
    const { spec } = before;
    const asked = spec === null || asksData ? before : { ...before, spec: { ...spec, afterDocuments: null, afterMs: null } };
    try {
      const { decision } = await lookAt(this.#session, asked, await this.#store.now(), lateAfterMs);
      await book.append(before, decision.records);
      if (decision.claim !== null && !this.#isStarting(before)) this.#start(book.name, decision.claim.tick);
    } catch (error) {
      // A store or feed that is out of reach for a while must not end the scheduler.
      if (!(error instanceof ProblemError)) throw error;
      this.#tellOnce(`${book.name} problem`, error.problem.message, () => this.#context.complain([error.problem]));
    }
    for (const tick of (await book.read()).ticks.values()) {
      if ((tick.endedAt ?? tick.at) < since) continue;
      this.#tellOnce(`${book.name} ${tick.key}`, `${tick.state} ${tick.attempts}`, () => this.#tell(tick));
    }
  }

  /** Whether a process was started that has not claimed a tick yet, or looks for its next one. */
  #isStarting({ name, open }: Ledger): boolean {
    const working = new Set(open.map(({ holder }) => holder.pid));
    return [...this.#children].some(([{ pid }, schedule]) => schedule === name && pid !== undefined && !working.has(pid));
  }

  /** A tick is run by a process of its own: it has the code as it is now, and ends with nothing left behind. */
  #start(name: string, tick: number): void {
    const log = join(this.#session.wired.state.logs, 'schedules', name, `${new Date(tick).toISOString().replaceAll(':', '')}.log`);
    mkdirSync(dirname(log), { recursive: true });
    const output = openSync(log, 'a');
    const args = [join(installation, 'bin/twin.js'), 'schedule', 'trigger', name, '--by-scheduler', '--profile', this.#context.profile];
    // In a session of its own: Ctrl-C reaches the scheduler alone, which then asks each one to stop, once.
    const child = spawn(process.execPath, args, {
      cwd: this.#context.folder,
      env: { ...this.#context.environment },
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    this.#children.set(child, name);
    child.once('error', () => this.#children.delete(child));
    child.once('exit', () => this.#children.delete(child));
  }

  #tellOnce(name: string, what: string, tell: () => unknown): void {
    if (this.#told.get(name) === what) return;
    this.#told.set(name, what);
    tell();
  }

  #tell(tick: TickView): void {
    void this.#context.tell({ type: 'schedule-ticks', ticks: [tick], reason: null });
  }
}
