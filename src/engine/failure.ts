import { type Problem, ProblemError } from '../contracts/problem.ts';

/** Error codes and HTTP statuses that say nothing about the step: the same call may well succeed later. */
const passingCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EBUSY',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Frames of an error and its causes that are kept. */
const framesKept = 30;

/** What step code threw, as a problem of that step. The innermost frame outside Node and packages says where. */
export function problemOf(error: unknown, address: string): Problem {
  if (error instanceof ProblemError) return { where: address, ...error.problem };
  const thrown = error instanceof Error ? error : new Error(String(error));
  const frames = thrown.stack?.split('\n').filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line) && !line.includes('node:')) ?? [];
  const frame = frames.find((line) => !line.includes('/node_modules/')) ?? frames[0];
  return {
    reason: 'step-threw',
    message: `Step ${address} threw ${thrown.name}: ${thrown.message}`,
    where: frame
      ? frame
          .trim()
          .replace(/^at (?:.*\()?(?:file:\/\/)?/, '')
          .replace(/\)$/, '')
      : address,
    ...(thrown.stack !== undefined && { stack: boundedStack(thrown) }),
    hint: `twin runs logs shows its last words; twin run --from ${address} tries again from here`,
    exit: 1,
  };
}

/** The frames of an error and of what caused it, without their messages, which may be of any length. */
function boundedStack(error: Error): string {
  const frames: string[] = [];
  for (let at: unknown = error; at instanceof Error && frames.length < framesKept; at = at.cause) {
    frames.push(...(at.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []));
  }
  return frames.slice(0, framesKept).join('\n');
}

/** Whether a failure is the surroundings' and not the step's: a connection, a busy server. */
export function isPassing(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, status } = at as { code?: unknown; status?: unknown };
    if (typeof code === 'string' && passingCodes.has(code)) return true;
    if (typeof status === 'number' && (status === 429 || status >= 500)) return true;
  }
  return false;
}

/** A problem of the surroundings, such as a job that was preempted: the same attempt may well succeed later. */
export class PassingProblemError extends ProblemError {}

/** Whether a failed attempt may be repeated. A problem is the user's to solve, unless the step's own policy says that repeating helps; what needs a person never is. */
export function isRetryable(error: unknown, hasPolicy: boolean): boolean {
  if (error instanceof PassingProblemError) return true;
  if (error instanceof ProblemError) return isPassing(error.cause) || (hasPolicy && error.problem.exit === 1);
  return isPassing(error);
}
