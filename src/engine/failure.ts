import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { FailureClass } from '../contracts/run.ts';

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

/** A problem that says itself whose it is, such as that of a job which was preempted. */
export class ClassifiedProblemError extends ProblemError {
  readonly failure: FailureClass;
  constructor(failure: FailureClass, problem: Problem, options?: ErrorOptions) {
    super(problem, options);
    this.failure = failure;
  }
}

/** Whose failure an error is. A problem is the user's to solve, unless what caused it is the surroundings'. */
export function classify(error: unknown): FailureClass {
  if (error instanceof ClassifiedProblemError) return error.failure;
  const cause = error instanceof ProblemError ? error.cause : error;
  return isPassing(cause) ? 'infrastructure' : 'user';
}

function isPassing(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, status } = at as { code?: unknown; status?: unknown };
    if (typeof code === 'string' && passingCodes.has(code)) return true;
    if (typeof status === 'number' && (status === 429 || status >= 500)) return true;
  }
  return false;
}
