import { watch } from 'node:fs';
import { open, utimes } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { JobEvent, protocolVersion } from '../contracts/worker-protocol.ts';
import { type AttemptStatus, attemptStatus } from './attempt-folder.ts';
import { LineSplitter } from './line-splitter.ts';
import { isAlive } from './process-identity.ts';

/** Where file changes are not told (network file systems), and for a keeper that dies without a word. */
const pollMs = 500;

/** How to follow. */
export interface FollowOptions {
  /** Events up to this one are left out. */
  readonly afterSeq: number;
  readonly signal: AbortSignal;
  /** Milliseconds between two renewals of the lease; null where there is none. */
  readonly renewalMs: number | null;
  /** Where an attempt stands, for one whose keeper is not on this machine. */
  readonly status?: (folder: string) => Promise<AttemptStatus>;
}

/** The events of an attempt, those written already and those to come, until it has ended or was lost, or the signal aborts. */
export async function* followAttempt(folder: string, options: FollowOptions): AsyncGenerator<JobEvent> {
  const changes = watchFolder(folder, options.signal);
  const renewal = options.renewalMs === null ? undefined : setInterval(() => void renewLease(folder), options.renewalMs);
  const events = new EventFile(join(folder, 'events.jsonl'));
  try {
    if (renewal !== undefined) await renewLease(folder);
    let mayHaveEnded = true;
    while (!options.signal.aborted) {
      // Asked before the last read, so that nothing is missed that was written before the end.
      const ended = mayHaveEnded && (await hasEnded(folder, options.status ?? attemptStatus));
      for await (const event of events.read()) if (event.seq > options.afterSeq) yield event;
      if (ended) return;
      mayHaveEnded = await changes.next();
    }
  } finally {
    clearInterval(renewal);
    changes.close();
    await events.close();
  }
}

async function renewLease(folder: string): Promise<void> {
  const now = new Date();
  await utimes(join(folder, 'lease.json'), now, now).catch(() => {});
}

async function hasEnded(folder: string, statusOf: (folder: string) => Promise<AttemptStatus>): Promise<boolean> {
  const status = await statusOf(folder);
  if (status.state === 'unclaimed') return !isAlive(status.launcher);
  return status.state !== 'running';
}

/** Reads a file of events that is still being written. */
class EventFile {
  readonly #path: string;
  readonly #lines = new LineSplitter();
  readonly #buffer = Buffer.alloc(64 * 1024);
  #file: FileHandle | null = null;
  #position = 0;
  #line = 0;
  #seq = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** The events that have been completed since the last call; a half-written line waits. */
  async *read(): AsyncGenerator<JobEvent> {
    this.#file ??= await open(this.#path).catch(() => null);
    if (this.#file === null) return;
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, this.#buffer.length, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      for (const line of this.#lines.push(Buffer.from(this.#buffer.subarray(0, bytesRead)))) yield this.#parse(line);
    }
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  #parse(line: string): JobEvent {
    this.#line += 1;
    try {
      const event = JobEvent.parse(JSON.parse(line));
      this.#seq = event.seq;
      return event;
    } catch (error) {
      return this.#unreadable(error as Error);
    }
  }

  /** A line that is no event is told and not passed over: a worker of another version writes such. */
  #unreadable(error: Error): JobEvent {
    const message = `Line ${this.#line} of ${this.#path} is no event of this version: ${error.message}`;
    const envelope = { v: protocolVersion, job: '', attempt: 1, seq: this.#seq + 1, t: 0, wall: new Date().toISOString() } as const;
    return { ...envelope, type: 'warn', data: { reason: 'event-unreadable', message } };
  }
}

/** Tells of changes in an attempt's folder. */
interface Changes {
  /** Resolves at the next change: true where the attempt may have ended with it. */
  next(): Promise<boolean>;
  close(): void;
}

function watchFolder(folder: string, signal: AbortSignal): Changes {
  let changed = false;
  let mayHaveEnded = false;
  let wake = Promise.withResolvers<void>();
  const tell = (ended: boolean) => {
    changed = true;
    mayHaveEnded ||= ended;
    wake.resolve();
  };
  const poll = setInterval(() => tell(true), pollMs);
  const watcher = watch(folder, (_, name) => tell(name !== 'events.jsonl'));
  watcher.on('error', () => {}); // the poll goes on
  const abort = () => tell(true);
  signal.addEventListener('abort', abort, { once: true });
  return {
    async next() {
      if (!changed) await wake.promise;
      const ended = mayHaveEnded;
      changed = false;
      mayHaveEnded = false;
      wake = Promise.withResolvers<void>();
      return ended;
    },
    close() {
      clearInterval(poll);
      watcher.close();
      signal.removeEventListener('abort', abort);
    },
  };
}
