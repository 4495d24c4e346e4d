import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that a peer needs, started for this run alone. */
export interface PeerServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Redis without any disk, or null where there is none on this machine. */
export async function startRedis(folder: string): Promise<PeerServer | null> {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  return await started(spawn('redis-server', args, { stdio: 'ignore' }), port);
}

/** Postgres as it comes, fsync on, or null where there is none on this machine. */
export async function startPostgres(): Promise<PeerServer | null> {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql').toSorted() : [];
  if (versions.length === 0) return null;
  const binaries = join('/usr/lib/postgresql', versions.at(-1)!, 'bin');
  const data = mkdtempSync(join(tmpdir(), 'twin-postgres-'));
  // It refuses to run as root.
  const uid = process.getuid?.() === 0 ? Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout) : undefined;
  if (uid !== undefined) chownSync(data, uid, uid);
  const as = uid === undefined ? {} : { uid };
  const made = spawnSync(join(binaries, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust'], { stdio: 'ignore', cwd: data, ...as });
  if (made.status !== 0) return null;
  const port = await freePort();
  const args = ['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
  const server = await started(spawn(join(binaries, 'postgres'), args, { stdio: 'ignore', cwd: data, ...as }), port);
  return (
    server && {
      port,
      async stop() {
        await server.stop();
        rmSync(data, { recursive: true, force: true });
      },
    }
  );
}

async function started(server: ChildProcess, port: number): Promise<PeerServer | null> {
  const life = { ended: false };
  server.once('error', () => (life.ended = true));
  server.once('exit', () => (life.ended = true));
  for (let tries = 0; tries < 100 && !life.ended; tries += 1) {
    if (await answers(port)) {
      return {
        port,
        async stop() {
          const exited = new Promise((settled) => server.once('exit', settled));
          if (!life.ended) {
            server.kill('SIGINT');
            await exited;
          }
        },
      };
    }
    await delay(100);
  }
  server.kill('SIGKILL');
  return null;
}

function answers(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      settle(true);
    });
    socket.once('error', () => settle(false));
  });
}

function freePort(): Promise<number> {
  return new Promise((settle) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => settle(port));
    });
  });
}
