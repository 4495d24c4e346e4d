import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where scripts/test-services.sh puts what no package manager installs. */
export const servicesFolder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'twin', 'services');

/** The servers that tests start, and where they may lie beside PATH. */
const places = {
  mongod: ['mongod/fiftyone/db/bin'],
  'redis-server': [],
  versitygw: ['.'],
  sshd: [],
  slurmctld: [],
  chromium: [],
} as const;

/** A server that tests can start. */
export type ServerName = keyof typeof places;

/** Path of a server's program, or null where this machine lacks it: `bash scripts/test-services.sh` installs all of them. */
export function findBinary(name: ServerName): string | null {
  const own = places[name].map((place) => join(servicesFolder, place));
  const folders = [...own, ...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
