import { type ChildProcess } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { digestOf, type Json } from '../contracts/digest.ts';

/** A shared connection that nobody uses for so long ends by itself, and takes its socket along. */
const idleSeconds = 60;
/** After one could not be opened, or broke, it is tried again this much later. */
const retryMs = 15_000;

/** A connection that all commands to one machine share, where it can be had: a handshake takes longer than most commands. */
export interface SharedConnection {
  /** Where ssh finds it; null where there is no folder that is safe to keep it in. */
  readonly socket: string | null;
  /** Opens it beside the first command and does not wait for it; commands that do not find it make their own. */
  open(): void;
}

/**
 * The connection of all twins of this user to one machine. It is a process of its own, so that neither the end of a twin nor kill -9
 * leaves anything behind for longer than a minute.
 *
 * @param target what makes it another connection: machine, user, port, key, options
 * @param start runs ssh with further options and nothing attached
 */
export function sharedConnection(target: Json, start: (options: readonly string[]) => ChildProcess): SharedConnection {
  const folder = ownFolder();
  const socket = folder === null ? null : join(folder, digestOf(target).slice(0, 12));
  let triedAt = -Infinity;
  return {
    socket,
    open() {
      if (socket === null || existsSync(socket) || performance.now() - triedAt < retryMs) return;
      triedAt = performance.now();
      const master = start(['ControlMaster=auto', `ControlPersist=${idleSeconds}`, 'SessionType=none', 'StdinNull=yes']);
      master.on('error', () => {});
      master.unref();
    },
  };
}

/** A folder that this user alone can enter, short enough for a socket's path. */
function ownFolder(): string | null {
  const { uid } = userInfo();
  const folder = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `twin-ssh-${uid}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    return found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0 ? folder : null;
  } catch {
    return null;
  }
}
