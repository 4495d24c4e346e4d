import { open, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ExitRecord, JobRequest, KeeperRecord, ProcessIdentity } from '../contracts/worker-protocol.ts';
import { isAlive } from './process-identity.ts';

/** `launch.json`: the process of twin that asked for the attempt; on disk before anything is started. */
export const LaunchRecord = z.strictObject({ ...ProcessIdentity.shape, wall: z.string() });
export type LaunchRecord = z.output<typeof LaunchRecord>;

/** Where an attempt stands, as its files and the process table say. */
export type AttemptStatus =
  /** No keeper has taken it yet. */
  | { readonly state: 'unclaimed'; readonly launcher: LaunchRecord }
  | { readonly state: 'running'; readonly keeper: KeeperRecord }
  | { readonly state: 'ended'; readonly exit: ExitRecord }
  /** The keeper vanished without an exit record. */
  | { readonly state: 'lost' };

/** The folder of an attempt of a job. */
export function attemptFolder(jobFolder: string, attempt: number): string {
  return join(jobFolder, 'attempts', String(attempt));
}

/** The number of a job's last attempt; 0 where there is none. */
export async function lastAttempt(jobFolder: string): Promise<number> {
  const names = await readdir(join(jobFolder, 'attempts')).catch(() => []);
  return Math.max(0, ...names.filter((name) => /^\d+$/.test(name)).map(Number));
}

/** Where an attempt stands now. */
export async function attemptStatus(folder: string): Promise<AttemptStatus> {
  const keeper = await read(join(folder, 'keeper.json'), KeeperRecord);
  const alive = keeper !== null && isAlive(keeper);
  // Read after the process table: a keeper that has just ended has written it.
  const exit = await read(join(folder, 'exit.json'), ExitRecord);
  if (exit !== null) return { state: 'ended', exit };
  if (keeper !== null) return alive ? { state: 'running', keeper } : { state: 'lost' };
  const launcher = await read(join(folder, 'launch.json'), LaunchRecord);
  return launcher === null ? { state: 'lost' } : { state: 'unclaimed', launcher };
}

/** What was asked of an attempt. */
export async function attemptRequest(folder: string): Promise<JobRequest> {
  return JobRequest.parse(JSON.parse(await readFile(join(folder, 'request.json'), 'utf8')));
}

/** The last lines, at most 200, that an attempt's processes printed. */
export async function lastLines(folder: string): Promise<string[]> {
  const length = 128 * 1024;
  const newest = await tail(join(folder, 'output.log'), length);
  // A log that has just been begun anew: its predecessor holds the lines before.
  const older = newest.length < length ? await tail(join(folder, 'output.log.1'), length - newest.length) : Buffer.alloc(0);
  return Buffer.concat([older, newest])
    .toString('utf8')
    .trimEnd()
    .split(/\r?\n/)
    .slice(-200)
    .filter((line, _, all) => all.length > 1 || line !== '');
}

async function tail(path: string, length: number): Promise<Buffer> {
  const file = await open(path).catch(() => null);
  if (file === null) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(Math.min(size, length)), position: Math.max(0, size - length) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function read<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema> | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : schema.parse(JSON.parse(text));
}
