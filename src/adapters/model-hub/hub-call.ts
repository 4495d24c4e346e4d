import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError } from '../../contracts/problem.ts';

const tries = 5;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/** How calls are repeated. */
export interface CallOptions {
  readonly signal: AbortSignal;
  /** Tests wait without waiting. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/** Calls the hub, again where the failure may pass (busy, cut, time-outs), and says what is wrong otherwise. */
export async function callHub<Value>(what: string, call: () => Promise<Value>, { signal, wait }: CallOptions): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProblemError) throw error;
      const status = statusOf(error);
      const mayPass = status === null ? isConnection(error) : passing.has(status);
      if (!mayPass || attempt === tries) throw problemOf(what, status, error, attempt);
      // Full jitter: clients that were turned away together do not come back together.
      const pauseMs = Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** attempt);
      await (wait ? wait(pauseMs) : delay(pauseMs, undefined, { signal }));
    }
  }
}

/** The HTTP status of an answer that was an error; null where no answer came. */
export function statusOf(error: unknown): number | null {
  const status = (error as { readonly statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : null;
}

function isConnection(error: unknown): boolean {
  return error instanceof TypeError || (error as { readonly name?: string } | null)?.name === 'CutTransferError';
}

/** A download that ended before its file did. */
export class CutTransferError extends Error {
  override readonly name = 'CutTransferError';
}

function problemOf(what: string, status: number | null, error: unknown, attempts: number): ProblemError {
  const said = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  const problem = (reason: string, message: string, expected: string, hint: string, exit: 1 | 2): ProblemError =>
    new ProblemError({
      reason,
      message,
      expected,
      found: status === null ? `${said}${cause}` : `status ${status}: ${firstSentence(said)}`,
      hint,
      exit,
    });
  switch (status) {
    case 401:
    case 403:
      return problem(
        'hub-refused',
        `The hub does not let this token ${what}`,
        'a token with write access to the repository',
        'Name where the token is found: modelHub.token: { env: HF_TOKEN }',
        2,
      );
    case 404:
      return problem(
        'hub-not-found',
        `The hub has nothing to ${what} there`,
        'a repository <owner>/<name> that this token may see',
        'Check the name and the revision',
        2,
      );
    case 413:
      return problem(
        'hub-too-large',
        `The hub refuses to ${what}: it is too large`,
        'files within the limits of the hub',
        'Export a smaller form (--format adapter, or a quantized one)',
        1,
      );
    default:
      return problem(
        'hub-unreachable',
        `The hub could not ${what} in ${attempts} ${attempts === 1 ? 'try' : 'tries'}`,
        'an answer',
        'Try again: files that arrived are not sent again',
        1,
      );
  }
}

function firstSentence(text: string): string {
  return text.split(/\. (?:URL|Request ID):/)[0]!;
}
