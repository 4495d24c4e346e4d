import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Freed, GarbageKind } from '../contracts/garbage.ts';
import { attemptFolder, attemptStatus, lastAttempt } from '../workers/attempt-folder.ts';
import type { StateFolder } from './state-folder.ts';

/** What decides about files: they belong to runs and to keys of steps. */
export interface FileRule {
  /** Runs that are kept no longer. */
  readonly expired: ReadonlySet<string>;
  /** Keys of steps of runs that are kept: their jobs stay, with their checkpoints. */
  readonly keys: ReadonlySet<string>;
  /** Jobs and pages of sweeps that changed since this moment stay. */
  readonly changedBefore: number;
  readonly dryRun: boolean;
}

const runName = /^(\d{8}-\d{6}-[a-z0-9]{4})(?:\.jsonl|\.html)?$/;
const sweepName = /^sweep-\d{8}-\d{6}-[a-z0-9]{4}\.html$/;
const jobName = /^([0-9a-f]{64})(?:-\d{8}-\d{6}-[a-z0-9]{4})?$/;

/** Removes logs, reports and job folders that nobody needs; names that twin does not give are left alone, and told. */
export async function collectFiles(
  state: StateFolder,
  rule: FileRule,
): Promise<{ readonly freed: readonly Freed[]; readonly foreign: readonly string[] }> {
  const foreign: string[] = [];
  const trash = join(state.root, 'trash');
  // What an earlier collection had put aside when it was killed.
  if (!rule.dryRun) await rm(trash, { recursive: true, force: true });
  const sweep = async (kind: GarbageKind, folder: string, needed: (name: string) => Promise<boolean | null>): Promise<Freed> => {
    let [count, bytes] = [0, 0];
    for (const name of (await readdir(folder).catch((): string[] => [])).toSorted((left, right) => (left < right ? -1 : 1))) {
      const path = join(folder, name);
      const stays = await needed(name);
      if (stays === null) foreign.push(path);
      if (stays !== false) continue;
      const size = await sizeOf(path);
      // Renamed first: a folder that is half removed never stands under its name.
      if (!rule.dryRun) {
        await mkdir(trash, { recursive: true });
        await rename(path, join(trash, `${kind}-${name}`));
        await rm(join(trash, `${kind}-${name}`), { recursive: true, force: true });
      }
      count++;
      bytes += size;
    }
    return { kind, count, bytes };
  };
  const ofRun = async (name: string): Promise<boolean | null> => {
    const run = runName.exec(name)?.[1];
    return run === undefined ? null : !rule.expired.has(run);
  };
  const freed = [
    await sweep('logs', state.logs, ofRun),
    await sweep('reports', state.reports, async (name) =>
      sweepName.test(name) ? (await lstat(join(state.reports, name))).mtimeMs >= rule.changedBefore : ofRun(name),
    ),
    await sweep('jobs', state.jobs, async (name) => {
      const key = jobName.exec(name)?.[1];
      if (key === undefined) return null;
      return rule.keys.has(key) || (await isNeeded(join(state.jobs, name), rule.changedBefore));
    }),
  ];
  if (!rule.dryRun) await rm(trash, { recursive: true, force: true });
  return { freed: freed.filter(({ count }) => count > 0), foreign };
}

/** Whether a job runs, may run, or has changed lately: one that failed goes on from its checkpoints. */
async function isNeeded(folder: string, changedBefore: number): Promise<boolean> {
  const attempt = await lastAttempt(folder);
  if (attempt > 0) {
    const at = attemptFolder(folder, attempt);
    const { state } = await attemptStatus(at);
    if (state === 'running' || state === 'unclaimed') return true;
    const events = await lstat(join(at, 'events.jsonl')).catch(() => null);
    if (events !== null && events.mtimeMs >= changedBefore) return true;
  }
  return existsSync(folder) && (await lstat(folder)).mtimeMs >= changedBefore;
}

async function sizeOf(path: string): Promise<number> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return 0;
  if (!found.isDirectory()) return found.size;
  let bytes = 0;
  for (const name of await readdir(path)) bytes += await sizeOf(join(path, name));
  return bytes;
}
