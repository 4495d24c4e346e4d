import type { CommandOutcome } from '../../contracts/command-results.ts';
import { digestOf } from '../../contracts/digest.ts';
import type { Problem } from '../../contracts/problem.ts';
import { CatchUpPolicy, OverlapPolicy, type ScheduleRecord, type ScheduleSpec } from '../../contracts/schedule.ts';
import { amend, openBook } from '../../schedules/book.ts';
import { cronProblem } from '../../schedules/cron.ts';
import { readDuration, writeDuration } from '../../schedules/duration.ts';
import { type CommandContext, done, refused, wholeNumber } from '../context.ts';
import { scheduleLine } from '../find-schedule.ts';
import { openPipeline } from '../pipeline-run.ts';
import { accountFor } from './schedules.ts';

/** Options of `twin schedule add`. */
export interface AddFlags {
  readonly cron?: string;
  readonly timeZone: string;
  readonly afterDocuments?: string;
  readonly maxAge?: string;
  readonly overlap: string;
  readonly catchUp: string;
  readonly catchUpWindow: string;
  readonly pauseAfter?: string;
  readonly jitter?: string;
  readonly set?: readonly string[];
  readonly replace?: true;
}

/** `twin schedule add <name> [pipeline]`: checks all of it first, the pipeline and its parameters too. */
export async function addSchedule(context: CommandContext, flags: AddFlags, name: string, pipeline = name): Promise<CommandOutcome> {
  const read = readSpec(flags, pipeline, context.profile);
  const problems = [...nameProblem(name), ...read.problems];
  const opened = await openPipeline(context, pipeline, { set: flags.set ?? [] });
  if (!opened.ok) problems.push(...opened.error);
  if (!opened.ok || problems.length > 0) return refused(problems);
  const store = await opened.value.session.wired.journal();
  const book = openBook(store, name);
  type Decided = 'added' | 'unchanged' | 'replaced' | { readonly differs: ScheduleSpec };
  const { decided } = await amend<Decided>(book, async (ledger) => {
    const at = await store.now();
    const records: readonly ScheduleRecord[] = [...accountFor(ledger, 'replaced', at), { type: 'added', at, spec: read.spec }];
    if (ledger.spec === null) return { records, decided: 'added' };
    if (digestOf(ledger.spec) === digestOf(read.spec)) return { records: [], decided: 'unchanged' };
    return flags.replace === true ? { records, decided: 'replaced' } : { records: [], decided: { differs: ledger.spec } };
  });
  if (typeof decided === 'object') return refused([thereAlready(name, decided.differs)]);
  return done({ type: 'schedule-changed', name, change: decided, schedule: scheduleLine(await book.read(), await store.now()) });
}

function readSpec(flags: AddFlags, pipeline: string, profile: string): { readonly spec: ScheduleSpec; readonly problems: Problem[] } {
  const problems: Problem[] = [];
  const taken = <Value>(value: Value | Problem): Value | null => {
    if (typeof value !== 'object' || value === null || !('reason' in value)) return value;
    problems.push(value);
    return null;
  };
  const duration = (flag: string, text: string | undefined) => (text === undefined ? null : taken(readDuration(flag, text)));
  const count = (flag: string, text: string | undefined) => (text === undefined ? null : taken(wholeNumber(flag, text)));
  const overlap = OverlapPolicy.safeParse(flags.overlap);
  const catchUp = CatchUpPolicy.safeParse(flags.catchUp);
  if (!overlap.success) problems.push(choiceProblem('--overlap', flags.overlap, OverlapPolicy.options));
  if (!catchUp.success) problems.push(choiceProblem('--catch-up', flags.catchUp, CatchUpPolicy.options));
  const { cron, timeZone } = flags;
  const wrong = cron === undefined ? null : cronProblem(cron, timeZone);
  if (wrong) problems.push(wrong);
  if (cron === undefined && flags.afterDocuments === undefined && flags.maxAge === undefined) problems.push(noTrigger());
  const spec: ScheduleSpec = {
    pipeline,
    cron: cron?.trim().replaceAll(/\s+/g, ' ') ?? null,
    timeZone,
    afterDocuments: count('--after-documents', flags.afterDocuments),
    afterMs: duration('--max-age', flags.maxAge),
    overlap: overlap.data ?? 'skip',
    catchUp: catchUp.data ?? 'latest',
    catchUpWindowMs: duration('--catch-up-window', flags.catchUpWindow) ?? 1,
    pauseAfter: count('--pause-after', flags.pauseAfter),
    jitterMs: duration('--jitter', flags.jitter) ?? 0,
    profile,
    set: [...(flags.set ?? [])],
  };
  return { spec, problems };
}

function noTrigger(): Problem {
  return {
    reason: 'no-trigger',
    message: 'Nothing says when it shall run',
    expected: '--cron, --after-documents or --max-age',
    hint: "Every night at 02:17: --cron '17 2 * * *'",
    exit: 2,
  };
}

function nameProblem(name: string): readonly Problem[] {
  if (/^[a-z0-9][a-z0-9-]{0,49}$/.test(name)) return [];
  const expected = 'up to 50 lower-case letters, digits and hyphens';
  return [
    { reason: 'invalid-name', message: 'A schedule cannot be called that', expected, found: name, hint: 'For example: nightly', exit: 2 },
  ];
}

function choiceProblem(flag: string, found: string, options: readonly string[]): Problem {
  return {
    reason: 'invalid-flag',
    message: `${flag} has a wrong value`,
    expected: options.join(', '),
    found,
    hint: `For example: ${flag} ${options[0]}`,
    exit: 2,
  };
}

function thereAlready(name: string, { cron, timeZone, pipeline, afterDocuments, afterMs }: ScheduleSpec): Problem {
  const when = [
    cron === null ? null : `'${cron}' (${timeZone})`,
    afterDocuments === null ? null : `after ${afterDocuments} documents`,
    afterMs === null ? null : `after ${writeDuration(afterMs)}`,
  ].filter((part) => part !== null);
  return {
    reason: 'schedule-exists',
    message: `There is a schedule ${name} already, and it differs`,
    found: `${pipeline}, ${when.join(', ')}`,
    hint: 'To change it, say --replace.',
    exit: 2,
  };
}
