import { setTimeout as delay } from 'node:timers/promises';
import type { QdrantClient } from '@qdrant/js-client-rest';
import { ProblemError } from '../contracts/problem.ts';

/** Where a Qdrant server is, and how long it is waited for. */
export interface QdrantConnectionOptions {
  readonly url: string;
  /** Reads the key when the first call is made. */
  readonly apiKey?: (() => Promise<string>) | undefined;
  /** The longest that one call may take. */
  readonly timeoutMs?: number;
  /** How long a write, or a read, is tried again while the server is away or overloaded. */
  readonly writePatienceMs?: number;
  readonly readPatienceMs?: number;
  /** The first pause between two tries; each is up to twice as long as the one before. */
  readonly firstPauseMs?: number;
}

/** One call: `write` says that it changes something, so that more patience pays. */
export interface QdrantCall {
  readonly write?: boolean;
  /** Statuses that are an answer: the call gives null. */
  readonly absent?: readonly number[];
}

const longestPauseMs = 5_000;

/** A write whose reply says that it was not carried out yet: only `completed` settles. */
export class NotCompleted extends Error {
  constructor(status: string) {
    super(`the write was answered with '${status}' instead of 'completed'`);
    this.name = 'NotCompleted';
  }
}

/** A connection to Qdrant: the client is imported at the first call, and a call that may have been lost is made again. Every operation of ours is idempotent. */
export class QdrantConnection {
  readonly #options: Required<Omit<QdrantConnectionOptions, 'apiKey'>> & Pick<QdrantConnectionOptions, 'apiKey'>;
  #key: string | undefined;
  #client: Promise<QdrantClient> | null = null;

  constructor({
    url,
    apiKey,
    timeoutMs = 60_000,
    writePatienceMs = 120_000,
    readPatienceMs = 5_000,
    firstPauseMs = 100,
  }: QdrantConnectionOptions) {
    this.#options = { url, apiKey, timeoutMs, writePatienceMs, readPatienceMs, firstPauseMs };
  }

  /** The result of a call; null where the server answers with one of `absent`. */
  async call<Value>(
    call: (client: QdrantClient) => Promise<Value>,
    { write = false, absent = [] }: QdrantCall = {},
  ): Promise<Value | null> {
    const client = await (this.#client ??= this.#open());
    const { writePatienceMs, readPatienceMs, firstPauseMs } = this.#options;
    const patienceMs = write ? writePatienceMs : readPatienceMs;
    const started = performance.now();
    for (let tried = 0; ; tried++) {
      try {
        return await call(client);
      } catch (error) {
        const status = statusOf(error);
        if (status !== null && absent.includes(status)) return null;
        const waitedMs = performance.now() - started;
        if (!mayPass(error, status) || waitedMs > patienceMs) throw this.#problem(error, status, waitedMs);
        const pauseMs = Math.min(firstPauseMs * 2 ** tried, longestPauseMs);
        // Between half and the whole of it, so that many writers do not come back at once.
        await delay(Math.max(pauseMs * (0.5 + Math.random() / 2), retryAfterMs(error)));
      }
    }
  }

  /** Refuses a server that would ignore the condition of an upsert, and so let old content overwrite new. */
  async requireVersion([major, minor]: readonly [number, number]): Promise<void> {
    const version = (await this.call((client) => client.versionInfo()))!.version;
    const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number);
    if (foundMajor > major || (foundMajor === major && foundMinor >= minor)) return;
    throw new ProblemError({
      reason: 'qdrant-too-old',
      message: `Qdrant at ${this.#options.url} is too old`,
      where: 'vectorIndex.url',
      expected: `version ${major}.${minor} or newer, which guards an upsert by a condition`,
      found: `version ${version}`,
      hint: 'Upgrade the server; nothing was written.',
      exit: 2,
    });
  }

  async #open(): Promise<QdrantClient> {
    const { QdrantClient } = await import('@qdrant/js-client-rest');
    const { url, apiKey, timeoutMs } = this.#options;
    this.#key = await apiKey?.();
    const { pathname } = new URL(url);
    const prefix = pathname === '/' ? undefined : pathname.replace(/\/$/, '');
    return new QdrantClient({
      url: prefix === undefined ? url : url.slice(0, url.lastIndexOf(pathname)),
      ...(prefix === undefined ? {} : { prefix }),
      timeout: timeoutMs,
      // It would ask in the background and print.
      checkCompatibility: false,
      // Given as `apiKey` it would print a warning.
      ...(this.#key === undefined ? {} : { headers: { 'api-key': this.#key } }),
    });
  }

  #problem(error: unknown, status: number | null, waitedMs: number): ProblemError {
    const { url } = this.#options;
    const said = saidBy(error);
    const found = this.#key ? said.replaceAll(this.#key, '(secret)') : said;
    const cause = { cause: error };
    if (status === 401 || status === 403) {
      return new ProblemError(
        {
          reason: 'qdrant-unauthorized',
          message: `Qdrant at ${url} does not let us in`,
          where: 'vectorIndex.apiKey',
          expected: 'a key that may read and write collections',
          found,
          hint: 'Put a valid key where vectorIndex.apiKey says that it is.',
          exit: 2,
        },
        cause,
      );
    }
    if (status === 400 && /index required/i.test(said)) {
      return new ProblemError(
        {
          reason: 'qdrant-without-index',
          message: `A collection of Qdrant at ${url} lacks a payload index, and its strict mode refuses to search without`,
          expected: 'the indexes that twin made with the collection',
          found,
          hint: 'Make it again: twin run feature-pipeline --force sync-index',
          exit: 1,
        },
        cause,
      );
    }
    if (status !== null && status < 500 && status !== 429) {
      return new ProblemError(
        {
          reason: 'qdrant-refused',
          message: `Qdrant at ${url} refused a call (${status})`,
          found,
          hint: status === 413 ? 'Make chunks smaller (sync-index.chunk-documents.maxTokens).' : 'Look at the log of the server.',
          exit: 1,
        },
        cause,
      );
    }
    return new ProblemError(
      {
        reason: status === null ? 'qdrant-unreachable' : 'qdrant-unavailable',
        message: `Qdrant at ${url} ${status === null ? 'does not answer' : `keeps failing (${status})`}, tried for ${Math.round(waitedMs / 1000)} s`,
        where: 'vectorIndex.url',
        found,
        hint: 'Start the server or correct the address, then run it again: nothing is lost.',
        exit: 1,
      },
      cause,
    );
  }
}

/** The status of the reply that an error is about; null where there was none. */
function statusOf(error: unknown): number | null {
  if (error instanceof Error && 'status' in error && typeof error.status === 'number') return error.status;
  const unexpected = error instanceof Error ? /^Unexpected Response: (\d{3})/.exec(error.message) : null;
  return unexpected ? Number(unexpected[1]) : error instanceof Error && error.name === 'QdrantClientResourceExhaustedError' ? 429 : null;
}

/** Whether the same call may succeed later: no answer, an overloaded or failing server, a write that is still being carried out. */
function mayPass(error: unknown, status: number | null): boolean {
  if (status !== null) return status === 429 || status >= 500;
  if (!(error instanceof Error)) return false;
  return (
    error instanceof NotCompleted ||
    error.name === 'QdrantClientTimeoutError' ||
    (error instanceof TypeError && error.message === 'fetch failed')
  );
}

function retryAfterMs(error: unknown): number {
  const seconds = error instanceof Error && 'retry_after' in error ? Number(error.retry_after) : 0;
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 30) * 1000 : 0;
}

/** What the server said, or what kept it from saying anything; a line at most. */
function saidBy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const data = 'data' in error ? (error.data as { status?: { error?: string } } | undefined) : undefined;
  const said = data?.status?.error ?? (error.cause instanceof Error ? error.cause.message || error.cause.name : error.message);
  return said.split('\n')[0]!.slice(0, 500);
}
