import { hurry, leaveJobs } from '../engine/run-options.ts';

/** Signals within this time of each other are one: a terminal signals twin and the process that started it, which passes its own on. */
const sameSignalMs = 250;
const parentPollMs = 1000;
/** How long a run is given to end when twin's parent has vanished. */
const hurryMs = 2000;

/** What a process does about being asked to stop. */
export interface Interruption {
  /** Aborts at the first SIGINT or SIGTERM: running jobs stop at a checkpoint. Where the reason is `leaveJobs`, they go on alone; where it is `hurry`, nobody waits for long. */
  readonly signal: AbortSignal;
  /** 130 or 143 once asked to stop, else null. */
  exitCode(): number | null;
  /** Stops watching. */
  dispose(): void;
}

/**
 * Watches for SIGINT and SIGTERM (stop in order, the latter within seconds; a second one ends at once), and for SIGHUP and, unless it shall
 * go on without one, the death of the parent: then nothing more is scheduled, services end, running jobs are left to their keepers,
 * and the exit code is 143.
 */
export function watchInterrupts(onStop: () => void, withParent = true): Interruption {
  const controller = new AbortController();
  const parent = process.ppid;
  let code: number | null = null;
  let lastAt = -Infinity;

  const stop = (exitCode: number, reason?: string) => {
    const now = performance.now();
    if (now - lastAt < sameSignalMs) return;
    lastAt = now;
    if (code !== null) process.exit(exitCode);
    code = exitCode;
    onStop();
    controller.abort(reason);
  };
  const leave = () => {
    code = 143;
    controller.abort(leaveJobs);
    // Services end with us in any case: their standard input closes.
    setTimeout(() => process.exit(143), hurryMs).unref();
  };
  const interrupted = () => stop(130);
  const terminated = () => stop(143, hurry);
  process.on('SIGINT', interrupted).on('SIGTERM', terminated).on('SIGHUP', leave);
  const poll = setInterval(() => {
    if (!withParent || process.ppid === parent) return;
    clearInterval(poll);
    leave();
  }, parentPollMs);
  poll.unref();

  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose() {
      clearInterval(poll);
      process.off('SIGINT', interrupted).off('SIGTERM', terminated).off('SIGHUP', leave);
    },
  };
}
