import type { LoggedEvent } from '../contracts/run-log.ts';
import type { TimelineSpan } from '../contracts/run-report.ts';
import { GrowingFile } from './growing-file.ts';
import { runLogFile } from './places.ts';

/** Shorter waits and steps that end at once would only be dots. */
const shortestWaitMs = 50;

/** What the log of a run tells beyond its journal: when each step did what, and which jobs it followed. */
export interface LogOutline {
  readonly timeline: ReadonlyMap<string, readonly TimelineSpan[]>;
  readonly jobs: ReadonlyMap<string, string>;
  /** Steps that logged something. */
  readonly spoke: ReadonlySet<string>;
}

interface OpenStep {
  readonly spans: TimelineSpan[];
  workingSince: number | null;
  waitingSince: number | null;
  attempt: number;
}

/** Reads the log of a run for its outline; empty where the log is gone. */
export async function outlineLog(logs: string, run: string): Promise<LogOutline> {
  const steps = new Map<string, OpenStep>();
  const jobs = new Map<string, string>();
  const spoke = new Set<string>();
  let startedAt: number | null = null;
  for await (const lines of new GrowingFile(runLogFile(logs, run)).lines()) {
    for (const line of lines) {
      const event = parsed(line);
      if (event?.at === undefined) continue;
      startedAt ??= event.at;
      if (event.type === 'job-launched') jobs.set(event.step, event.job);
      if (event.type === 'step-log') spoke.add(event.step);
      if ('step' in event) follow(event, startedAt, steps);
    }
  }
  return {
    timeline: new Map([...steps].flatMap(([step, { spans }]) => (spans.length === 0 ? [] : [[step, spans] as const]))),
    jobs,
    spoke,
  };
}

function follow(event: LoggedEvent & { readonly step: string }, startedAt: number, steps: Map<string, OpenStep>): void {
  const at = Math.max(0, event.at - startedAt);
  let step = steps.get(event.step);
  if (step === undefined) steps.set(event.step, (step = { spans: [], workingSince: null, waitingSince: null, attempt: 0 }));
  if (event.type === 'step-started') {
    if (step.waitingSince !== null) addWait(step, at);
    step.workingSince = at;
    step.attempt = event.attempt;
  } else if (event.type === 'step-retry') {
    endWork(step, at, 'failed');
    step.waitingSince = at;
  } else if (event.type === 'step-finished') {
    if (step.workingSince === null && step.waitingSince === null) {
      // It never began: what it took was waiting, if anything.
      step.waitingSince = at - event.durationMs;
    } else if (step.spans.length === 0 && step.workingSince !== null) {
      const waitedFrom = Math.max(0, at - event.durationMs);
      if (step.workingSince - waitedFrom >= shortestWaitMs)
        step.spans.push({ kind: 'waiting', from: waitedFrom, to: step.workingSince, attempt: null });
    }
    if (step.waitingSince !== null) addWait(step, at);
    endWork(step, at, event.outcome === 'failed' ? 'failed' : 'working');
  }
}

function addWait(step: OpenStep, at: number): void {
  if (step.waitingSince !== null && at - step.waitingSince >= shortestWaitMs)
    step.spans.push({ kind: 'waiting', from: step.waitingSince, to: at, attempt: null });
  step.waitingSince = null;
}

function endWork(step: OpenStep, at: number, kind: 'working' | 'failed'): void {
  if (step.workingSince !== null) step.spans.push({ kind, from: step.workingSince, to: at, attempt: step.attempt });
  step.workingSince = null;
}

function parsed(line: string): LoggedEvent | null {
  try {
    return JSON.parse(line) as LoggedEvent;
  } catch {
    return null;
  }
}
