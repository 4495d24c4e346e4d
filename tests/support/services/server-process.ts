import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const readyWithinMs = 60_000;
const endsForgivenMs = 5_000;

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
  const { binary, port, folder } = command;
  const logFile = join(folder, 'server.log');
  let child: ChildProcess;
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
  const start = async (): Promise<void> => {
    const begun = performance.now();
    const waited = (): number => performance.now() - begun;
    for (;;) {
      child = spawnInto(logFile, command);
      while (child.exitCode === null && waited() < readyWithinMs) {
        if (await listens(port)) return;
        await delay(20);
      }
      const [ended, told] = [child.exitCode, complaints(log())];
      await kill('SIGKILL');
      // What a killed server held, its folder's lock or its port, may be let go a moment after its end is told.
      if (ended === null || waited() > endsForgivenMs)
        throw new Error(`${binary} does not listen on ${port} (exit code ${ended}):\n${told}`);
      await delay(200);
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

function spawnInto(logFile: string, { binary, args, folder, environment }: ServerCommand): ChildProcess {
  const output = openSync(logFile, 'a');
  const wrapped = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', binary, ...args] : [binary, ...args];
  const child = spawn(wrapped[0]!, wrapped.slice(1), {
    cwd: folder,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...environment },
  });
  closeSync(output);
  return child;
}

// The lines that name a cause stand before the many that a server writes while it ends.
function complaints(log: string): string {
  const lines = log.split('\n');
  const causes = lines.filter((line) => /"s":"[EF]"|\b(?:error|fatal|cannot|failed)\b/i.test(line));
  return [...causes.slice(-8), ...lines.slice(-8)].join('\n');
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
