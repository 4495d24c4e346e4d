import { randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Holder } from '../contracts/run.ts';
import { currentHolder, isDeadForSure } from './holder.ts';

/** A lock whose holder cannot be looked up (it runs in another container) counts as left behind after so many milliseconds without renewal. */
const leaseMs = 120_000;
const renewalMs = 10_000;
const pollMs = 500;

/** How to wait for the lock. */
interface Waiting {
  readonly onWait: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while this process holds the lock file, which says who holds it; waits for a living holder and takes over from a dead one.
 * It saves work rather than guards it: in a race of two that take over at the same moment both may run.
 */
export async function withBuildLock<Value>(path: string, waiting: Waiting, work: () => Promise<Value>): Promise<Value> {
  const own = JSON.stringify(currentHolder('twin, building the Python environment'));
  await acquire(path, own, waiting);
  const renewal = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), renewalMs);
  renewal.unref();
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    if ((await readFile(path, 'utf8').catch(() => null)) === own) await rm(path, { force: true });
  }
}

async function acquire(path: string, own: string, { onWait, signal }: Waiting): Promise<void> {
  let told = false;
  // A link appears with its content, so that no one ever reads a lock without a holder.
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, own);
  try {
    while (!(await linked(draft, path))) {
      const text = await readFile(path, 'utf8').catch(() => null);
      const holder = text === null ? null : parseHolder(text);
      if (text !== null && (holder === null || isDeadForSure(holder) || (await isStale(path)))) {
        await rm(path, { force: true });
        continue;
      }
      if (holder !== null && !told)
        onWait(`Waiting for another twin (process ${holder.pid} on ${holder.host}) that builds the Python environment`);
      told = true;
      await delay(pollMs, undefined, signal && { signal });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > leaseMs;
}

function parseHolder(text: string): Holder | null {
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
