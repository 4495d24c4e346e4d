import { spawn } from 'node:child_process';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { shellWord } from './shell-word.ts';
import { type SshConnection, sshEnded } from './ssh-connection.ts';

/** Copies a file or folder to a path on the other machine, whole or not at all; one that is there already stays. */
export async function shipEntry(connection: SshConnection, path: string, target: string): Promise<void> {
  await shipTar(connection, ['-C', dirname(path), basename(path)], unpack(target, basename(path)));
}

/** Makes a folder on the other machine of some files below a folder here, whole or not at all; one that is there already stays. */
export async function shipFiles(connection: SshConnection, folder: string, files: readonly string[], target: string): Promise<void> {
  await shipTar(connection, ['-C', folder, ...files], unpack(target, null));
}

/** Copies what is in a folder there into one here, entry by entry, each whole or not at all. */
export async function fetchFolder(connection: SshConnection, from: string, to: string): Promise<void> {
  const partial = `${to}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const source = connection.start(`tar -C ${shellWord(from)} -cf - .`);
  source.stdin!.end();
  const target = spawn('tar', ['-C', partial, '-xf', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
  target.stdin.on('error', () => {}); // the exit code says it better
  source.stdout!.pipe(target.stdin);
  // Where the connection broke, the unpacking breaks too, maybe first: the connection says why.
  const [sent, unpacked] = await Promise.allSettled([sshEnded(source, connection.host), sshEnded(target, 'tar')]);
  for (const end of [sent, unpacked]) if (end.status === 'rejected') throw end.reason;
  for (const name of await readdir(partial)) {
    await rm(join(to, name), { recursive: true, force: true });
    await rename(join(partial, name), join(to, name));
  }
  await rm(partial, { recursive: true, force: true });
}

/** A script that unpacks a tar on its standard input beside the target and renames it: the one entry of the tar, or all of it. */
function unpack(target: string, entry: string | null): string {
  const made = entry === null ? '"$draft"' : `"$draft"/${shellWord(entry)}`;
  return [
    `draft=${shellWord(`${dirname(target)}/.draft-`)}$$`,
    `mkdir -p "$draft" && tar -C "$draft" -xf - && { mv -T ${made} ${shellWord(target)} 2>/dev/null || test -e ${shellWord(target)}; }`,
    'code=$?; rm -rf "$draft"; exit $code',
  ].join('\n');
}

async function shipTar(connection: SshConnection, files: readonly string[], script: string): Promise<void> {
  const tar = spawn('tar', ['-cf', '-', ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
  const target = connection.start(script);
  tar.stdout.pipe(target.stdin!);
  target.stdin!.on('error', () => {}); // the exit code says it better
  const [packed, taken] = await Promise.allSettled([sshEnded(tar, 'tar'), sshEnded(target, connection.host)]);
  for (const end of [taken, packed]) if (end.status === 'rejected') throw end.reason;
}
