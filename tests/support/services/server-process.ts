import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const readyWithinMs = 60_000;

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** How to start a server. */
export interface ServerCommand {
  readonly binary: string;
  readonly args: readonly string[];
  readonly port: number;
  /** Holds the server's data and its log. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A server that a test started: killed with the test, and before it where a test says so. */
export interface ServerProcess {
  readonly port: number;
  readonly pid: () => number;
  /** Sends a signal; SIGKILL and SIGTERM wait for the end. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and data. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What it wrote. */
  log(): string;
}

/** Starts a server and waits until it listens; it dies with this process at the latest. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const { binary, args, port, folder, environment } = command;
  const logFile = join(folder, 'server.log');
  let child: ChildProcess;
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const start = async (): Promise<void> => {
    const output = openSync(logFile, 'a');
    const wrapped = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', binary, ...args] : [binary, ...args];
    child = spawn(wrapped[0]!, wrapped.slice(1), {
      cwd: folder,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...environment },
    });
    const end = performance.now() + readyWithinMs;
    while (!(await listens(port))) {
      if (child.exitCode !== null || performance.now() > end)
        throw new Error(`${binary} does not listen on ${port}:\n${log().slice(-4000)}`);
      await delay(20);
    }
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
  };
  await start();
  return { port, pid: () => child.pid!, kill, start, log, stop: () => kill('SIGKILL') };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
