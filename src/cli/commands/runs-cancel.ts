import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOutcome, RunCancelled } from '../../contracts/command-results.ts';
import type { RunView } from '../../contracts/run-view.ts';
import { requestCancel } from '../../engine/cancel-run.ts';
import { closeDeadRuns } from '../../engine/close-runs.ts';
import { showRun } from '../../history/runs.ts';
import { currentHolder, isDeadForSure } from '../../workers/holder.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { openSession, type Session } from '../session.ts';

const lookEveryMs = 200;
/** A run has so long to save checkpoints before this command goes its way; the run goes on ending. */
const patienceMs = 120_000;

/** `twin runs cancel <run>`: the run hears of it within a second, whatever host it is on; one whose process is dead is closed, and its jobs told to stop. */
export async function cancelRun(
  context: CommandContext,
  { wait = true }: { readonly wait?: boolean },
  id: string,
): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const store = await session.value.wired.journal();
  const shown = await showRun(store, id);
  if (!shown.ok) return refused([shown.error]);
  const { run, status, holder } = shown.value;
  if (status !== 'running') return said(run, status, 'ended');

  const own = currentHolder(context.line);
  if (isDeadForSure(holder)) {
    await stopJobs(session.value, shown.value);
    await closeDeadRuns({ store, holder: own, isDead: isDeadForSure }, context.emit, run);
    const closed = await showRun(store, run);
    return said(run, closed.ok ? closed.value.status : 'failed', 'closed');
  }
  await requestCancel(store, run, own);
  context.progress(`Asked ${holder.command} (process ${holder.pid} on ${holder.host}) to stop: running jobs save a checkpoint first.`);
  const deadline = performance.now() + patienceMs;
  if (!wait) return said(run, 'running', 'asked');
  while (performance.now() < deadline && !context.signal.aborted) {
    await delay(lookEveryMs, undefined, { signal: context.signal }).catch(() => undefined);
    const now = await showRun(store, run);
    if (now.ok && now.value.status !== 'running') return said(run, now.value.status, 'stopped');
    if (isDeadForSure(holder)) {
      await closeDeadRuns({ store, holder: own, isDead: isDeadForSure }, context.emit, run);
      return said(run, 'failed', 'closed');
    }
  }
  return said(run, 'running', 'asked');
}

function said(run: string, status: RunCancelled['status'], how: RunCancelled['how']): CommandOutcome {
  return done({ type: 'run-cancelled', run, status, how });
}

/** Tells the jobs that a dead run has left to stop at a checkpoint; a job's id is the key of its step. */
async function stopJobs({ wired }: Session, { steps }: RunView): Promise<void> {
  const keys = steps.flatMap(({ kind, state, key }) => (kind === 'job' && state === 'running' && key !== null ? [key] : []));
  if (keys.length === 0) return;
  const launcher = await wired.ports.open('jobLauncher');
  for (const key of keys) {
    if ((await launcher.state(key))?.state === 'running') await launcher.command(key, 'stop');
  }
}
