import type { JobLauncher } from '../../ports/job-launcher.ts';
import { type AttemptStatus, attemptStatus } from '../../workers/attempt-folder.ts';
import { type AttemptLauncherOptions, type AttemptPlace, appendCommand, attemptLauncher } from '../../workers/attempt-launcher.ts';
import { followAttempt } from '../../workers/follow-attempt.ts';
import { jobCodeDigest } from '../../workers/job-code.ts';
import { isAlive } from '../../workers/process-identity.ts';
import type { PythonRuntime } from '../../workers/python-runtime.ts';
import { warmParent } from '../../workers/warm-parent.ts';
import { claimed, startKeeper } from '../../workers/start-keeper.ts';

/** How to launch jobs on this machine. */
export interface LocalJobLauncherOptions extends AttemptLauncherOptions {
  readonly runtime: PythonRuntime;
  /** Variables that jobs get and that are masked in all that they write. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** `warm`: keepers are forked by a process that has imported everything once; `spawn`: each job imports for itself. */
  readonly start?: 'warm' | 'spawn';
}

/** Another process of twin that created an attempt is given this long to start its keeper. */
const otherLauncherMs = 30_000;

/** Runs jobs on this machine, each under a keeper that outlives twin; opens and starts nothing by itself. */
export function localJobLauncher(options: LocalJobLauncherOptions): JobLauncher {
  const { runtime, secrets, start = 'spawn' } = options;
  const parent = start === 'warm' ? warmParent(runtime) : null;
  const place: AttemptPlace = {
    identity: (job) => jobCodeDigest(runtime.workersFolder, job),
    prepare: async () => void (await runtime.ready()),
    status: attemptStatus,
    async start(folder, { launcher }: Extract<AttemptStatus, { state: 'unclaimed' }>) {
      if (launcher.pid !== process.pid && isAlive(launcher) && (await claimed(folder, otherLauncherMs, () => !isAlive(launcher))))
        return false;
      if (parent !== null && (await parent.start(folder, secrets ?? {}))) return true;
      await startKeeper(runtime, folder, secrets);
      return true;
    },
    follow: followAttempt,
    command: appendCommand,
    fetch: async () => {},
  };
  return attemptLauncher(options, place);
}
