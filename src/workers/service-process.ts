import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { isMainThread } from 'node:worker_threads';
import type { Json } from '../contracts/digest.ts';
import { ProblemError } from '../contracts/problem.ts';
import { ServiceReply } from '../contracts/worker-protocol.ts';
import { LineSplitter } from './line-splitter.ts';

/** An answer or a piece of one. */
export type ServiceData = Readonly<Record<string, Json>>;

/** How to start a service. */
export interface ServiceCommand {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly variables: NodeJS.ProcessEnv;
  /** Working folder; Python looks for modules there first, so it must not be the user's. */
  readonly folder?: string;
}

/** A request that waits for its answer. */
interface Pending {
  readonly resolve: (data: ServiceData) => void;
  readonly reject: (error: unknown) => void;
  readonly onPiece: ((piece: ServiceData) => void) | undefined;
}

const keptLines = 50;
/** How long a service may take to end by itself once its standard input has closed. */
const graceMs = 2000;
/** How long after its end output is still awaited that a process of its own may hold back. */
const drainMs = 500;

/** One life of a service: a child that reads requests from its standard input, answers on file descriptor 3, and dies with us. */
export class ServiceProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #replies: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #lastLines: string[] = [];
  readonly #hello = Promise.withResolvers<ServiceData>();
  readonly #ended = Promise.withResolvers<void>();
  #nextId = 1;
  #death: ProblemError | null = null;
  #exitCode: number | null = null;

  /** Starts the child; `hello()` tells when it is ready. Only from the main thread: the kernel ends it with the thread that forked it. */
  constructor(name: string, command: ServiceCommand) {
    if (!isMainThread) throw new Error(`The ${name} service must be started from the main thread`);
    this.#name = name;
    // In a session of its own, so that Ctrl+C reaches twin alone, which then ends its services in order.
    this.#child = spawn(command.file, command.arguments, {
      env: command.variables,
      cwd: command.folder,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#replies = this.#child.stdio[3] as Socket;
    this.#hello.promise.catch(() => {});
    this.#listen();
    this.#child.unref();
    for (const stream of this.#child.stdio) (stream as Socket).unref();
  }

  /** What the service said of itself when it was ready; rejects with a ProblemError where it ended or took too long. */
  async hello(timeoutMs: number): Promise<ServiceData> {
    const late = setTimeout(() => {
      this.#die('service-timeout', `The ${this.#name} service was not ready after ${Math.round(timeoutMs / 1000)} seconds.`);
      this.#kill();
    }, timeoutMs);
    try {
      return await this.#hello.promise;
    } finally {
      clearTimeout(late);
      this.#keepAlive();
    }
  }

  /** Whether it can still be asked. */
  get isAlive(): boolean {
    return this.#death === null;
  }

  /** Whether it ended by itself and in order, as it does after a minute without a request. */
  get endedInOrder(): boolean {
    return this.#exitCode === 0;
  }

  /** Sends a request; pieces arrive before the answer. Rejects with a ProblemError for a failure, and with the signal's reason when aborted. */
  async request(
    method: string,
    data: ServiceData,
    options: { signal?: AbortSignal; onPiece?: (piece: ServiceData) => void },
  ): Promise<ServiceData> {
    options.signal?.throwIfAborted();
    if (this.#death !== null) throw this.#death;
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<ServiceData>();
    this.#pending.set(id, { resolve, reject, onPiece: options.onPiece });
    const abort = () => {
      this.#send({ id: this.#nextId++, method: 'cancel', data: { id } });
      reject(options.signal!.reason);
    };
    options.signal?.addEventListener('abort', abort, { once: true });
    this.#keepAlive();
    this.#send({ id, method, data });
    try {
      return await promise;
    } finally {
      this.#pending.delete(id);
      options.signal?.removeEventListener('abort', abort);
      this.#keepAlive();
    }
  }

  /** Ends the service: by closing its input, by force where that takes more than two seconds. */
  async stop(): Promise<void> {
    this.#child.stdin!.end();
    this.#child.ref();
    const force = setTimeout(() => this.#kill(), graceMs);
    await this.#ended.promise;
    clearTimeout(force);
  }

  /** Writes a ServiceRequest (contracts/worker-protocol.ts). */
  #send(request: { readonly id: number; readonly method: string; readonly data: ServiceData }): void {
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
  }

  /** An idle service does not keep twin running; one that owes an answer does. */
  #keepAlive(): void {
    if (this.#replies.destroyed) return;
    if (this.#pending.size > 0) this.#replies.ref();
    else this.#replies.unref();
  }

  #listen(): void {
    const child = this.#child;
    const lines = new LineSplitter();
    this.#replies.on('data', (chunk: Buffer) => lines.push(chunk).forEach((line) => this.#receive(line)));
    for (const output of [child.stdout!, child.stderr!]) {
      const printed = new LineSplitter();
      output.on('data', (chunk: Buffer) => {
        this.#lastLines.push(...printed.push(chunk));
        this.#lastLines.splice(0, this.#lastLines.length - keptLines);
      });
    }
    // A write to a service that has just died fails; its death is told by its exit.
    for (const stream of [child.stdin!, child.stdout!, child.stderr!, this.#replies]) stream.on('error', () => {});
    child.once('error', (error) => this.#end(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => {
      this.#exitCode = code;
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      // All that it wrote is read first, unless a process that it left behind holds the pipes open.
      void Promise.race([once(child, 'close'), new Promise((resolve) => setTimeout(resolve, drainMs).unref())]).then(() => this.#end(how));
    });
  }

  #receive(line: string): void {
    const reply = parseReply(line);
    if (reply === null) {
      this.#die('protocol-broken', `The ${this.#name} service wrote a line that is no reply of this version: ${line.slice(0, 200)}`);
      this.#kill();
    } else if ('hello' in reply) {
      this.#hello.resolve(reply.hello.data);
    } else {
      const pending = this.#pending.get(reply.id);
      if ('piece' in reply) pending?.onPiece?.(reply.piece);
      else if ('data' in reply) pending?.resolve(reply.data);
      else
        pending?.reject(
          new ProblemError({ reason: reply.error.reason, message: `The ${this.#name} service: ${reply.error.message}`, exit: 1 }),
        );
    }
  }

  #end(how: string): void {
    this.#die('service-died', `The ${this.#name} service ${how}.`);
    this.#ended.resolve();
  }

  #die(reason: string, message: string): void {
    const printed = this.#lastLines.join('\n');
    const hint = 'Run the same command again; a service that was killed may have run out of memory.';
    this.#death ??= new ProblemError({ reason, message, ...(printed !== '' && { found: printed }), hint, exit: 1 });
    this.#hello.reject(this.#death);
    for (const pending of this.#pending.values()) pending.reject(this.#death);
  }

  #kill(): void {
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}

function parseReply(line: string): ServiceReply | null {
  try {
    return ServiceReply.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
