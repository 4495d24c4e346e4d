import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StagingLeftover, StoredEntry } from '../../ports/artifact-store.ts';

const digestName = /^[0-9a-f]{64}(\.folder)?$/;
const stagingName = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Every file and folder artifact below the folder of a store; names that the store does not give are passed over. */
export async function* contentsOf(folder: string): AsyncGenerator<StoredEntry> {
  for (const prefix of await namesIn(folder)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of await namesIn(join(folder, prefix))) {
      if (!digestName.test(name) || !name.startsWith(prefix)) continue;
      const path = join(folder, prefix, name);
      const found = await lstat(path).catch(() => null);
      // Removed since it was listed.
      if (found === null) continue;
      const isFolder = name.endsWith('.folder');
      const bytes = isFolder ? (await sizeOf(join(path, 'files'))).bytes : found.size;
      yield { kind: isFolder ? 'folder' : 'file', digest: name.slice(0, 64), bytes, putAt: found.mtimeMs };
    }
  }
}

/** Every folder in the staging folder of a store. */
export async function* leftoversIn(staging: string): AsyncGenerator<StagingLeftover> {
  for (const name of await namesIn(staging)) {
    if (stagingName.test(name)) yield { name, ...(await sizeOf(join(staging, name))) };
  }
}

/** The bytes below a folder, and when any of it changed last. Of a file, its own. */
export async function sizeOf(path: string): Promise<{ readonly bytes: number; readonly changedAt: number }> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return { bytes: 0, changedAt: 0 };
  let [bytes, changedAt] = [found.isDirectory() ? 0 : found.size, found.mtimeMs];
  if (!found.isDirectory()) return { bytes, changedAt };
  for (const name of await namesIn(path)) {
    const inner = await sizeOf(join(path, name));
    bytes += inner.bytes;
    changedAt = Math.max(changedAt, inner.changedAt);
  }
  return { bytes, changedAt };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
