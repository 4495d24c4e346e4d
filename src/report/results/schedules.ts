import type { ScheduleChanged, ScheduleTicks } from '../../contracts/command-results.ts';
import type { ScheduleLine, ScheduleSpec, TickView } from '../../contracts/schedule.ts';
import { counted, duration } from '../quantities.ts';
import type { Format, Style } from '../style.ts';
import { table } from '../table.ts';

/** Lateness that is worth a word. */
const lateMs = 60_000;

const stateFormats: Readonly<Record<TickView['state'], Format>> = {
  succeeded: 'green',
  failed: 'red',
  interrupted: 'red',
  refused: 'yellow',
  cancelled: 'yellow',
  skipped: 'dim',
  buffered: 'cyan',
  running: 'cyan',
};

/** Schedules: when each runs next, and how it last went. */
export function schedulesText(schedules: readonly ScheduleLine[], style: Style): string {
  if (schedules.length === 0) return "No schedules yet.\n→ twin schedule add nightly --cron '17 2 * * *'";
  const rows = schedules.map((line) => [
    line.name,
    line.spec.pipeline,
    whenWords(line.spec),
    line.state === 'active' ? 'active' : style('yellow', line.state),
    line.next === null ? '' : clock(line.next, line.spec.timeZone),
    line.last === null ? '' : `${style(stateFormats[line.last.state], line.last.state)} ${tickTime(line.last)}`,
    line.overdue === 0 ? '' : style('red', counted(line.overdue, 'tick')),
  ]);
  return table(['SCHEDULE', 'PIPELINE', 'WHEN', 'STATE', 'NEXT', 'LAST', 'NEVER RUN'], rows, (title) => style('dim', title));
}

/** When a schedule runs: `17 2 * * * Europe/Berlin, or after 100 documents`. */
export function whenWords({ cron, timeZone, afterDocuments, afterMs }: ScheduleSpec): string {
  const parts = [
    cron === null ? null : `${cron} ${timeZone}`,
    afterDocuments === null ? null : `after ${counted(afterDocuments, 'changed document')}`,
    afterMs === null ? null : `once a change waits ${duration(afterMs)}`,
  ];
  return parts.filter((part) => part !== null).join(', or ');
}

/** What became of each tick, newest first. */
export function historyText(name: string, ticks: readonly TickView[], style: Style): string {
  if (ticks.length === 0) return `No tick of ${name} has fallen due yet.`;
  const rows = ticks.map((tick) => [
    tick.count === 1 ? tickTime(tick) : `${tickTime(tick)} to ${clock(tick.last, tick.timeZone)}`,
    triggerWords(tick),
    tick.count === 1 ? style(stateFormats[tick.state], tick.state) : style(stateFormats[tick.state], `${tick.count} ${tick.state}`),
    tick.endedAt === null || tick.run === null ? '' : duration(tick.endedAt - tick.at),
    tick.run ?? '',
    noteWords(tick),
  ]);
  return table(['TICK', 'TRIGGER', 'OUTCOME', 'TOOK', 'RUN', 'NOTE'], rows, (title) => style('dim', title));
}

function tickTime({ tick, timeZone }: TickView): string {
  return clock(tick, timeZone);
}

/** A moment as a clock in a time zone shows it: `2026-03-29 03:00`. */
function clock(at: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)!.value;
  return `${part('year')}-${part('month')}-${part('day')} ${part('hour')}:${part('minute')}`;
}

function triggerWords({ trigger, source }: TickView): string {
  return source === null || source === 'scheduler' ? trigger : `${trigger}, by ${source === 'command' ? 'command' : 'GitHub Actions'}`;
}

/** Why, how late, and the how manieth time. */
function noteWords(tick: TickView): string {
  const parts = [
    reasonWords(tick),
    tick.lateMs !== null && tick.lateMs >= lateMs ? `${duration(tick.lateMs)} late` : null,
    tick.caughtUp ? 'caught up' : null,
    tick.attempts > 1 ? `attempt ${tick.attempts}` : null,
  ];
  return parts.filter((part) => part !== null).join(', ');
}

function reasonWords({ state, reason }: TickView): string | null {
  if (state === 'buffered') return 'waits for the running one';
  if (state !== 'skipped') return reason;
  switch (reason) {
    case 'overlap':
      return 'an earlier one was still running';
    case 'missed':
      return 'nobody was there';
    case 'too-old':
      return 'nobody was there, and it is too old to catch up';
    case 'paused':
      return 'the schedule was paused';
    case 'replaced':
      return 'the schedule was changed first';
    case 'removed':
      return 'the schedule was removed first';
    default:
      return reason;
  }
}

/** What became of a schedule. */
export function scheduleChangedText({ name, change, schedule }: ScheduleChanged, style: Style): string {
  if (schedule === null)
    return `Schedule ${style('bold', name)} was removed; its history stays.\n${style('dim', `→ twin schedule history ${name}`)}`;
  const { spec, next, state } = schedule;
  const said = change === 'unchanged' ? 'is as it was' : change === 'added' || change === 'replaced' ? `was ${change}` : change;
  const first = `Schedule ${style('bold', name)} ${said}: ${spec.pipeline}, ${whenWords(spec)}.`;
  const second = state === 'active' ? (next === null ? [] : [`Next tick: ${clock(next, spec.timeZone)}.`]) : [`It is ${state}.`];
  const clocks = spec.cron === null ? '' : `, or twin schedule export ${name} --to github`;
  const hint = state === 'active' ? `twin schedule start${clocks}` : `twin schedule resume ${name}`;
  return [first, ...second, style('dim', `→ ${hint}`)].join('\n');
}

/** The ticks that were run, or why none was. */
export function ticksText({ ticks, reason }: ScheduleTicks, style: Style): string {
  if (reason === null) return ticks.map((tick) => tickText(tick, style)).join('\n');
  const { kind, tick } = reason;
  if (tick === null) return kind === 'paused' ? 'The schedule is paused: nothing was run.' : 'No tick is due: nothing was run.';
  const { schedule } = tick;
  if (tick.state === 'buffered') return tickText(tick, style);
  const first = kind === 'paused' ? `Schedule ${schedule} is paused: nothing was run.` : 'Nothing more is due.';
  const hint = kind === 'paused' ? `twin schedule resume ${schedule}` : `twin schedule trigger ${schedule} --now`;
  return [first, tickText(tick, style), style('dim', `→ ${hint}`)].join('\n');
}

/** One tick in a line: `nightly 2026-03-29 03:00: succeeded after 12 min 04 s, run 20260329-…`. */
export function tickText(tick: TickView, style: Style): string {
  const took = tick.endedAt === null || tick.run === null ? '' : ` after ${duration(tick.endedAt - tick.at)}`;
  const note = noteWords(tick);
  const name = `${style('bold', tick.schedule)} ${tickTime(tick)}${tick.trigger === 'time' ? '' : ` (${tick.trigger})`}`;
  return `${name}: ${style(stateFormats[tick.state], tick.state)}${took}${tick.run === null ? '' : `, run ${tick.run}`}${note === '' ? '' : ` (${note})`}`;
}
