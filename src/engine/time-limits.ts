import type { Problem } from '../contracts/problem.ts';

/** Which limit an attempt ran into. */
type Limit = 'attempt' | 'total' | 'heartbeat';

/** The limits of one attempt, watched. */
export interface AttemptLimits {
  /** Aborts when one of them is reached. */
  readonly signal: AbortSignal;
  /** The attempt gives a sign of life. */
  beat(): void;
  /** What to say about the limit that was reached; null while none was. */
  problem(address: string): Problem | null;
  clear(): void;
}

/** Starts to watch an attempt: how long it takes, how much is left of the step's whole time, how long it is silent. */
export function watchAttempt(limits: {
  readonly attemptMs: number;
  readonly leftMs: number;
  readonly totalMs: number;
  readonly heartbeatMs: number;
}): AttemptLimits {
  const controller = new AbortController();
  const timers: NodeJS.Timeout[] = [];
  let reached: Limit | null = null;
  let lastBeat = performance.now();
  const reach = (limit: Limit): void => {
    reached ??= limit;
    controller.abort();
  };
  const limitMs = Math.min(limits.attemptMs, limits.leftMs);
  if (limitMs < Infinity) {
    timers.push(
      setTimeout(() => reach(limits.attemptMs <= limits.leftMs ? 'attempt' : 'total'), Math.min(Math.max(0, limitMs), 2 ** 31 - 1)),
    );
  }
  if (limits.heartbeatMs < Infinity) {
    const lookEveryMs = Math.max(1, limits.heartbeatMs / 4);
    let lastLook = performance.now();
    timers.push(
      setInterval(() => {
        const now = performance.now();
        // Where this look comes late, the process itself had no time, and the step could not give a sign.
        if (now - lastLook > limits.heartbeatMs / 2) lastBeat = now;
        lastLook = now;
        if (now - lastBeat > limits.heartbeatMs) reach('heartbeat');
      }, lookEveryMs),
    );
  }
  return {
    signal: controller.signal,
    beat: () => void (lastBeat = performance.now()),
    problem: (address) => (reached === null ? null : timedOut(address, reached, limits)),
    clear: () => timers.forEach((timer) => clearTimeout(timer)),
  };
}

function timedOut(
  address: string,
  limit: Limit,
  { attemptMs, totalMs, heartbeatMs }: { readonly attemptMs: number; readonly totalMs: number; readonly heartbeatMs: number },
): Problem {
  const said: Record<Limit, Pick<Problem, 'message' | 'expected' | 'hint'>> = {
    attempt: {
      message: `Step ${address} took longer than it may`,
      expected: `at most ${attemptMs} ms for one attempt (timeouts.attemptMs)`,
      hint: 'Raise the timeouts of the step, or give it less to do',
    },
    total: {
      message: `Step ${address} took longer than it may with all its waiting and attempts`,
      expected: `at most ${totalMs} ms in all (timeouts.totalMs)`,
      hint: 'Raise the timeouts of the step, or give it less to do',
    },
    heartbeat: {
      message: `Step ${address} gave no sign of life`,
      expected: `progress, a count, a line, a row or an event every ${heartbeatMs} ms (timeouts.heartbeatMs)`,
      hint: 'Have it tell its progress more often, or raise the limit',
    },
  };
  return { reason: limit === 'heartbeat' ? 'heartbeat-missed' : 'timed-out', where: address, ...said[limit], exit: 1 };
}
