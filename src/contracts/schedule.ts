import { z } from 'zod';
import { Holder, RunStatus } from './run.ts';

/** What happens when a tick falls due while an earlier one is still being run. */
export const OverlapPolicy = z.enum(['skip', 'buffer-one', 'cancel-other', 'allow']);
export type OverlapPolicy = z.output<typeof OverlapPolicy>;

/** Which of the ticks that fell due while nobody looked are run after all. */
export const CatchUpPolicy = z.enum(['none', 'latest', 'all']);
export type CatchUpPolicy = z.output<typeof CatchUpPolicy>;

/** When to run a pipeline, and what to do when that cannot be kept. Lengths of time are in milliseconds. */
export const ScheduleSpec = z.strictObject({
  pipeline: z.string(),
  /** Five fields; null where documents alone decide. */
  cron: z.string().nullable(),
  timeZone: z.string(),
  /** Also once so many documents have changed since the last tick. */
  afterDocuments: z.int().positive().nullable(),
  /** Also once a change has waited for so long to be processed. */
  afterMs: z.int().positive().nullable(),
  overlap: OverlapPolicy,
  catchUp: CatchUpPolicy,
  /** Ticks that are older than this are never caught up. */
  catchUpWindowMs: z.int().positive(),
  /** Pauses after so many failures in a row; null never. */
  pauseAfter: z.int().positive().nullable(),
  /** Each tick begins late by up to so much, always the same for the same tick. */
  jitterMs: z.int().nonnegative(),
  profile: z.string(),
  /** As of `twin run --set`. */
  set: z.array(z.string()),
});
export type ScheduleSpec = z.output<typeof ScheduleSpec>;

/** What made a tick fall due. */
export const TickTrigger = z.enum(['time', 'documents', 'freshness', 'manual']);
export type TickTrigger = z.output<typeof TickTrigger>;

/** Why ticks were not run. */
export const TickSkip = z.enum(['overlap', 'missed', 'too-old', 'paused', 'replaced', 'removed']);
export type TickSkip = z.output<typeof TickSkip>;

/** How a tick's run ended; `interrupted`: its process died. */
export const TickEnd = z.union([RunStatus, z.literal('interrupted')]);
export type TickEnd = z.output<typeof TickEnd>;

/** Who raised a tick: the scheduler, a person, or another clock such as that of GitHub Actions. */
export const TickSource = z.enum(['scheduler', 'command', 'github-actions']);
export type TickSource = z.output<typeof TickSource>;

/** A position in the change feed, as its port gives it. */
const FeedPosition = z.strictObject({ source: z.string(), position: z.string(), change: z.number() });
export type FeedPosition = z.output<typeof FeedPosition>;

/** One record of the stream `schedule/<name>`: the truth about a schedule. Times are milliseconds; `key` names a tick and is used once. */
export const ScheduleRecord = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('added'), at: z.number(), spec: ScheduleSpec }),
  z.strictObject({ type: z.literal('removed'), at: z.number() }),
  z.strictObject({ type: z.literal('paused'), at: z.number(), reason: z.enum(['by-user', 'failures']) }),
  z.strictObject({ type: z.literal('resumed'), at: z.number() }),
  /** Ticks that are not run, from the first to the last. */
  z.strictObject({
    type: z.literal('skipped'),
    at: z.number(),
    first: z.number(),
    last: z.number(),
    count: z.int().positive(),
    reason: TickSkip,
    /** What makes them fall due; `manual` and others where a single tick of that kind was skipped. */
    trigger: TickTrigger,
    key: z.string(),
  }),
  /** A tick that waits for an earlier one to end. */
  z.strictObject({ type: z.literal('buffered'), at: z.number(), key: z.string(), tick: z.number(), trigger: TickTrigger }),
  /** The runners of these ticks are asked to stop. */
  z.strictObject({ type: z.literal('cancel-asked'), at: z.number(), keys: z.array(z.string()) }),
  z.strictObject({
    type: z.literal('claimed'),
    at: z.number(),
    key: z.string(),
    /** The logical time. */
    tick: z.number(),
    trigger: TickTrigger,
    source: TickSource,
    attempt: z.int().positive(),
    lateMs: z.number(),
    /** It fell due while nobody looked. */
    caughtUp: z.boolean(),
    holder: Holder,
    /** How far the change feed was: later changes count for the next tick. */
    position: FeedPosition.nullable(),
  }),
  z.strictObject({ type: z.literal('started'), at: z.number(), key: z.string(), run: z.string() }),
  z.strictObject({
    type: z.literal('finished'),
    at: z.number(),
    key: z.string(),
    status: TickEnd,
    run: z.string().nullable(),
    reason: z.string().nullable(),
  }),
]);
export type ScheduleRecord = z.output<typeof ScheduleRecord>;

/** A tick as the ledger tells it; several at once where they were skipped for one reason. */
export interface TickView {
  readonly schedule: string;
  readonly key: string;
  /** Of the schedule: its ticks are told by that clock. */
  readonly timeZone: string;
  /** Logical time of the tick, or of the first of several. */
  readonly tick: number;
  readonly last: number;
  readonly count: number;
  readonly trigger: TickTrigger;
  readonly source: TickSource | null;
  readonly state: 'skipped' | 'buffered' | 'running' | TickEnd;
  /** Why it was skipped, or why its run ended as it did. */
  readonly reason: string | null;
  readonly lateMs: number | null;
  readonly caughtUp: boolean;
  readonly attempts: number;
  readonly run: string | null;
  /** When it was claimed or skipped, and when it ended. */
  readonly at: number;
  readonly endedAt: number | null;
}

/** A schedule as `twin schedule list` shows it. */
export interface ScheduleLine {
  readonly type: 'schedule';
  readonly name: string;
  readonly state: 'active' | 'paused' | 'paused after failures';
  readonly spec: ScheduleSpec;
  /** The next tick by the clock; null where it is paused or has no cron expression. */
  readonly next: number | null;
  readonly last: TickView | null;
  /** Ticks that nobody has accounted for: no scheduler was there. */
  readonly overdue: number;
}
