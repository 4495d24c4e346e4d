import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobRequest } from '../contracts/worker-protocol.ts';
import { attemptFolder } from './attempt-folder.ts';
import type { LaunchRecord } from './attempt-folder.ts';
import { processIdentity } from './process-identity.ts';

/**
 * Puts an attempt on disk, whole and durable, before anything is started for it.
 * Exclusive: of several processes that create the same attempt one succeeds; false for the others.
 */
export async function createAttempt(jobFolder: string, request: JobRequest): Promise<boolean> {
  const folder = attemptFolder(jobFolder, request.attempt);
  const draft = join(dirname(folder), `.${request.attempt}-${randomUUID()}`);
  const launch: LaunchRecord = { ...processIdentity(process.pid)!, wall: new Date().toISOString() };
  await Promise.all([join(draft, 'outputs'), request.checkpoints].map((path) => mkdir(path, { recursive: true })));
  // At once, so that the disk is waited for once.
  await Promise.all([
    writeDurably(join(draft, 'request.json'), JSON.stringify(request)),
    writeDurably(join(draft, 'launch.json'), JSON.stringify(launch)),
    // Renewed by a new time of change, which works on a full disk too.
    writeDurably(join(draft, 'lease.json'), '{}'),
  ]);
  await syncFolder(draft);
  if (!(await renamed(draft, folder))) return false;
  await Promise.all([dirname(folder), jobFolder, dirname(jobFolder)].map(syncFolder));
  return true;
}

async function renamed(draft: string, folder: string): Promise<boolean> {
  try {
    await rename(draft, folder);
    return true;
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
