import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { type Socket, connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findBinary } from './find-binary.ts';
import { freePort, startServer } from './server-process.ts';

/** A real sshd with keys of its own, behind a wire that a test can cut. */
export interface TestSshd {
  readonly port: number;
  readonly user: string;
  readonly identityFile: string;
  /** Options of ssh that keep it away from the user's own keys and known hosts. */
  readonly options: readonly string[];
  /** Breaks every connection, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
}

/** Starts sshd on the loopback address. */
export async function startSshd(folder: string): Promise<TestSshd> {
  const key = (name: string) => join(folder, name);
  for (const name of ['host', 'client']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key(name)]);
  copyFileSync(key('client.pub'), key('authorized_keys'));
  // As its service would have made it.
  if (process.getuid?.() === 0 && !existsSync('/run/sshd')) mkdirSync('/run/sshd', { mode: 0o755 });
  const port = await freePort();
  writeFileSync(
    key('sshd_config'),
    `ListenAddress 127.0.0.1
HostKey ${key('host')}
PidFile ${key('sshd.pid')}
AuthorizedKeysFile ${key('authorized_keys')}
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
MaxStartups 100
`,
  );
  const server = await startServer({
    binary: findBinary('sshd')!,
    args: ['-D', '-e', '-f', key('sshd_config'), '-p', String(port)],
    port,
    folder,
  });

  const sockets = new Set<Socket>();
  let whole = true;
  const wire = createServer((near) => {
    if (!whole) return near.destroy();
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
    return undefined;
  }).listen(0, '127.0.0.1');
  await once(wire, 'listening');
  return {
    port: (wire.address() as { readonly port: number }).port,
    user: userInfo().username,
    identityFile: key('client'),
    options: [
      `UserKnownHostsFile=${key('known_hosts')}`,
      'StrictHostKeyChecking=accept-new',
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      'LogLevel=ERROR',
    ],
    cut() {
      whole = false;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      whole = true;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      wire.close();
      await server.stop();
    },
  };
}
