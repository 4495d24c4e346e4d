import { ProblemError } from '../contracts/problem.ts';
import { workerVariables } from './python-runtime.ts';
import type { PythonRuntime } from './python-runtime.ts';
import { ServiceProcess } from './service-process.ts';
import type { ServiceCommand, ServiceData } from './service-process.ts';

/** How to keep a service. */
export interface ServiceOptions {
  /** The service in messages. */
  readonly name: string;
  /** Asked at each start, so that nothing is built or read before the service is needed. */
  readonly command: () => Promise<ServiceCommand>;
  /** A first start reads hundreds of megabytes of libraries; 180 seconds by default. */
  readonly helloTimeoutMs?: number;
  /** Asked of each new process before anything else: what it must load to be of use. */
  readonly first?: { readonly method: string; readonly data: ServiceData };
}

/** How to ask a service. */
export interface ServiceRequestOptions {
  readonly signal?: AbortSignal;
  /** Asked once more, of a new process, where the service dies before it has answered. */
  readonly idempotent?: boolean;
  /** Called for each piece of the answer as it arrives. */
  readonly onPiece?: (piece: ServiceData) => void;
}

/** A long-lived process that is started by the first request, again after it has died or gone idle, and that dies with us. */
export class Service implements AsyncDisposable {
  readonly #options: ServiceOptions;
  #starting: Promise<ServiceProcess> | null = null;
  #process: ServiceProcess | null = null;
  #disposed = false;

  /** Starts nothing yet. */
  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** Resolves when the service is there and has loaded what it must; throws a ProblemError where it cannot. */
  async ready(): Promise<void> {
    await this.#running();
  }

  /** The answer to a request; throws a ProblemError where the service fails or dies (`service-died`, with its last lines). */
  async request(method: string, data: ServiceData, options: ServiceRequestOptions = {}): Promise<ServiceData> {
    let pieces = 0;
    const onPiece = (piece: ServiceData) => {
      pieces += 1;
      options.onPiece?.(piece);
    };
    const passed = { onPiece, ...(options.signal && { signal: options.signal }) };
    for (let attempt = 1; ; attempt += 1) {
      const running = await this.#running();
      try {
        return await running.request(method, data, passed);
      } catch (error) {
        // A service that ended in order had not read the request.
        const again = attempt === 1 && pieces === 0 && !running.isAlive && (options.idempotent === true || running.endedInOrder);
        if (!again || this.#disposed || !(error instanceof ProblemError)) throw error;
      }
    }
  }

  /** Ends the service, also one that is just starting; safe to call twice. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#process?.stop();
  }

  /** As `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #running(): Promise<ServiceProcess> {
    if (this.#starting === null && this.#process?.isAlive) return this.#process;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return await this.#starting;
  }

  async #start(): Promise<ServiceProcess> {
    const command = await this.#options.command();
    if (this.#disposed) throw new Error(`The ${this.#options.name} service was asked after it had been disposed of`);
    this.#process = new ServiceProcess(this.#options.name, command);
    await this.#process.hello(this.#options.helloTimeoutMs ?? 180_000);
    if (this.#options.first !== undefined) await this.#prepare(this.#process, this.#options.first);
    return this.#process;
  }

  async #prepare(started: ServiceProcess, { method, data }: NonNullable<ServiceOptions['first']>): Promise<void> {
    try {
      await started.request(method, data, {});
    } catch (error) {
      await started.stop();
      throw error;
    }
  }
}

/** A Python service by its name; the environment is built when it is first asked. */
export function pythonService(runtime: PythonRuntime, name: string, first?: ServiceOptions['first']): Service {
  return new Service({
    name,
    ...(first && { first }),
    command: async () => {
      const { python } = await runtime.ready();
      return {
        file: python,
        arguments: ['-m', 'twin_workers', 'serve', name],
        folder: runtime.workersFolder,
        variables: workerVariables(runtime.workersFolder),
      };
    },
  });
}
