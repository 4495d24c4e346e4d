import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { type Jobs, findJob, jobLine, viewOf } from '../find-job.ts';

/** Between two lines of progress: a reader is no faster. */
const betweenMs = 1000;
const pollMs = 250;

/** `twin jobs attach <job>`: follows a job until it ends; leaving changes nothing about it. */
export async function attachJob(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const found = await findJob(context, name);
  if (!found.ok) return refused(found.error);
  const { jobs, id } = found.value;
  const { JobFold } = await import('../../workers/job-view.ts');
  const line = await jobLine(jobs, id);
  if (line === null) return done({ type: 'none' });
  const fold = new JobFold();
  const tell = async (): Promise<void> => {
    const view = fold.view({ line, params: {}, adaptations: [], usage: null, pricePerHour: jobs.pricePerHour });
    await context.tell({ type: 'job-beat', view });
  };
  let toldAt = -Infinity;
  // What happened before is told in one line.
  const attachedAt = new Date().toISOString();
  for await (const event of jobs.launcher.follow({ id, attempt: line.attempt, how: 'adopted' }, { afterSeq: 0, signal: context.signal })) {
    fold.take(event);
    const now = performance.now();
    const told = event.type === 'warn' || event.type === 'checkpoint' || event.type === 'phase';
    if (event.wall < attachedAt || (!told && now - toldAt < betweenMs) || event.type === 'heartbeat') continue;
    toldAt = now;
    if (event.type === 'warn') await context.tell({ type: 'job-said', text: `${event.data.reason}: ${event.data.message}` });
    await tell();
  }
  if (context.signal.aborted) return done({ type: 'job-left', id });
  const view = await viewOf(jobs, id);
  if (view === null) return done({ type: 'none' });
  return done({ type: 'job-shown', view }, view.line.exit?.startsWith('0 ') === true ? 0 : 1);
}

/** Tells what a job prints as it comes, until it has ended. */
export async function followLog(context: CommandContext, jobs: Jobs, id: string, count: number): Promise<CommandOutcome> {
  const { attemptFolder, lastAttempt, lastLines } = await import('../../workers/attempt-folder.ts');
  const folder = join(jobs.folder, id);
  let attempt = await lastAttempt(folder);
  let path = join(attemptFolder(folder, attempt), 'output.log');
  await context.tell({ type: 'job-logs', id, lines: (await lastLines(attemptFolder(folder, attempt))).slice(-count) });
  let position = await sizeOf(path);
  for (;;) {
    const running = (await jobs.launcher.state(id))?.state === 'running';
    const text = await readFrom(path, position);
    // A log that is shorter than it was has been begun anew.
    position = text === null ? 0 : position + text.length;
    if (text !== null && text.length > 0) await context.tell({ type: 'job-logs', id, lines: text.toString('utf8').trimEnd().split('\n') });
    if (!running || context.signal.aborted) return done({ type: 'none' });
    const newest = await lastAttempt(folder);
    if (newest !== attempt) {
      attempt = newest;
      path = join(attemptFolder(folder, attempt), 'output.log');
      position = 0;
    }
    await delay(pollMs, undefined, { signal: context.signal }).catch(() => {});
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path).catch(() => null);
  if (file === null) return 0;
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

async function readFrom(path: string, position: number): Promise<Buffer | null> {
  const file = await open(path).catch(() => null);
  if (file === null) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    if (size < position) return null;
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(Math.min(size - position, 1 << 20)), position });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
