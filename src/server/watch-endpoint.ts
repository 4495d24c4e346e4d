import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ProblemError } from '../contracts/problem.ts';
import type { WatchStatus } from '../contracts/watch.ts';
import { watchMetrics } from './watch-metrics.ts';

/** Where metrics and health of a watch can be asked for. */
export interface WatchEndpoint {
  /** `http://127.0.0.1:9464`. */
  readonly url: string;
  /** What is told from now on. */
  status(status: WatchStatus): void;
  /** Something got on. */
  pulse(): void;
  close(): Promise<void>;
}

/** Where an endpoint listens, and after how much silence the process counts as hung. */
export interface WatchEndpointOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** 5 minutes where absent: longer than any call to a server is given. */
  readonly silentMs?: number;
}

/**
 * Serves `/metrics` for Prometheus, `/livez` (something got on lately: if not, starting the process again may help) and `/readyz` (the index is
 * in step and not about to lose changes). A scrape asks no server: it tells what was found last, at most a second ago.
 */
export async function openWatchEndpoint({ host, port, silentMs = 300_000 }: WatchEndpointOptions): Promise<WatchEndpoint> {
  let status: WatchStatus | null = null;
  // Until it begins to follow it may wait for as long as another process holds the index.
  let pulsedAt: number | null = null;
  const silent = () => (pulsedAt === null ? 0 : (performance.now() - pulsedAt) / 1000);

  const metrics = (): string => {
    const { user, system } = process.cpuUsage();
    return watchMetrics(status, {
      silentSeconds: silent(),
      memoryBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      startedAt: performance.timeOrigin / 1000,
    });
  };
  const answers: Readonly<Record<string, () => Answer>> = {
    '/metrics': () => ({ code: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: metrics() }),
    '/livez': () => liveness(silent(), silentMs / 1000, status),
    '/readyz': () => readiness(status),
  };
  const server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://twin').pathname];
    if (answer === undefined) write(response, { code: 404, text: `There are ${Object.keys(answers).join(', ')}.\n` });
    else if (request.method !== 'GET' && request.method !== 'HEAD') write(response, { code: 405, text: 'GET only.\n' });
    else write(response, answer());
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(host, port, error as NodeJS.ErrnoException);
  }
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    status: (told) => void (status = told),
    pulse: () => void (pulsedAt = performance.now()),
    async close() {
      server.closeAllConnections();
      if (server.listening) await new Promise((closed) => server.close(closed));
    },
  };
}

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly type?: string;
}

function liveness(silentSeconds: number, limit: number, status: WatchStatus | null): Answer {
  if (silentSeconds <= limit) return { code: 200, text: 'ok\n' };
  const left = status === null ? '' : `, with ${status.unsettled} changes unsettled`;
  return { code: 503, text: `nothing got on for ${silentSeconds.toFixed(0)} s${left}\n` };
}

function readiness(status: WatchStatus | null): Answer {
  if (status === null) return { code: 503, text: 'starting\n' };
  const { state, problem, alarm, windowUsed } = status;
  if (state !== 'in-step') return { code: 503, text: problem === null ? `${state}\n` : `${state}: ${problem}\n` };
  if (alarm) return { code: 503, text: `${((windowUsed ?? 0) * 100).toFixed(0)} % of the history of the source has passed\n` };
  return { code: 200, text: 'in step\n' };
}

function write(response: ServerResponse, { code, text, type = 'text/plain; charset=utf-8' }: Answer): void {
  response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}

function cannotListen(host: string, port: number, { code, message }: NodeJS.ErrnoException): ProblemError {
  const words: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another process listens there',
    EACCES: 'this user may not listen there',
    EADDRNOTAVAIL: 'no address of this machine',
    ENOTFOUND: 'no address of this machine',
  };
  return new ProblemError({
    reason: 'port-unavailable',
    message: `Metrics cannot be served on ${host}:${port}`,
    where: '--metrics-port, --metrics-host',
    found: words[code ?? ''] ?? message,
    hint: 'Name another port; --metrics-port 0 takes one that is free.',
    exit: 2,
  });
}
