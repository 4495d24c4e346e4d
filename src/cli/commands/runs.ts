import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { RunEvent } from '../../contracts/events/run.ts';
import { listRuns as known, showRun as view } from '../../history/runs.ts';
import { type CommandContext, done, refused, usageProblem, wholeNumber } from '../context.ts';
import { runLogFile } from '../run-log.ts';
import { openSession } from '../session.ts';

/** `twin runs list`: newest first. */
export async function listRuns(
  context: CommandContext,
  options: { readonly limit: string; readonly pipeline?: string },
): Promise<CommandOutcome> {
  const limit = wholeNumber('--limit', options.limit);
  if (typeof limit !== 'number') return refused([limit]);
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { pipeline } = options;
  return done({
    type: 'runs',
    runs: await known(await session.value.wired.journal(), { limit, ...(pipeline === undefined ? {} : { pipeline }) }),
  });
}

/** `twin runs show [run]`: every step with its outcome and reason. */
export async function showRun(context: CommandContext, _options: object, run = 'latest'): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const shown = await view(await session.value.wired.journal(), run);
  return shown.ok ? done({ type: 'run', view: shown.value }) : refused([shown.error]);
}

/** `twin runs logs [run]`: what it said while it ran. */
export async function runLogs(context: CommandContext, options: { readonly step?: string }, run = 'latest'): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const shown = await view(await wired.journal(), run);
  if (!shown.ok) return refused([shown.error]);
  const { step } = options;
  if (step !== undefined && !shown.value.steps.some(({ address }) => address === step)) {
    return refused([usageProblem('unknown-step', `Run ${shown.value.run} has no step ${step}`, `See: twin runs show ${shown.value.run}`)]);
  }
  const events = await readEvents(runLogFile(wired.state.logs, shown.value.run));
  if (events === null)
    return refused([
      usageProblem('no-log', `The log of run ${shown.value.run} is gone`, `Its steps are known: twin runs show ${shown.value.run}`, {
        exit: 1,
      }),
    ]);
  return done({
    type: 'run-logs',
    run: shown.value.run,
    events: step === undefined ? events : events.filter((event) => 'step' in event && event.step === step),
  });
}

/** The events of a log; a last line that was cut off by a crash is left out. */
async function readEvents(file: string): Promise<readonly RunEvent[] | null> {
  const events: RunEvent[] = [];
  try {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      try {
        events.push(JSON.parse(line) as RunEvent);
      } catch {
        break;
      }
    }
  } catch {
    return null;
  }
  return events;
}
