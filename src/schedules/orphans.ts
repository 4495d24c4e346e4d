import type { Holder, RunSummary } from '../contracts/run.ts';
import type { ScheduleRecord } from '../contracts/schedule.ts';
import type { Ledger, OpenTick } from './ledger.ts';

/** How what became of a tick's runner is found out. */
export interface RunnerInquiry {
  /** Whether somebody still runs it. */
  readonly isRunning: (tick: OpenTick) => Promise<boolean>;
  /** The runs of a pipeline, newest first. */
  readonly runs: (pipeline: string) => Promise<readonly RunSummary[]>;
}

/** The ends of ticks whose process died before it could write them: as its run ended, or `interrupted` where that did not end either. */
export async function endOrphans(
  { open, spec }: Ledger,
  now: number,
  { isRunning, runs }: RunnerInquiry,
): Promise<readonly ScheduleRecord[]> {
  const ends: ScheduleRecord[] = [];
  for (const tick of open) {
    if (await isRunning(tick)) continue;
    const known = spec === null ? [] : await runs(spec.pipeline);
    const run = known.find(({ run, holder, startedAt }) => run === tick.run || (sameProcess(holder, tick.holder) && startedAt >= tick.at));
    const ended = run !== undefined && run.status !== 'running' && run.reason !== 'interrupted';
    ends.push({
      type: 'finished',
      at: now,
      key: tick.key,
      status: ended ? (run.status as 'succeeded') : 'interrupted',
      run: run?.run ?? null,
      reason: ended ? run.reason : run ? 'its process died' : 'its process died before the run began',
    });
  }
  return ends;
}

function sameProcess(left: Holder, right: Holder): boolean {
  return left.host === right.host && left.bootId === right.bootId && left.pid === right.pid && left.start === right.start;
}
