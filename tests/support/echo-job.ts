import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EchoParams } from '../../src/contracts/jobs.ts';
import type { JobEvent } from '../../src/contracts/worker-protocol.ts';
import type { JobLauncher, JobSubmission, SubmittedJob } from '../../src/ports/job-launcher.ts';

/** A submission of the job that repeats its input. */
export async function echo(folder: string, id: string, params: Record<string, number | string> = {}): Promise<JobSubmission> {
  const rows = join(folder, 'rows.jsonl');
  await mkdir(folder, { recursive: true });
  await writeFile(rows, '{"text":"Grüße"}\n{"text":"😀"}\n');
  return { id, job: 'echo', params: { ...EchoParams.parse({}), ...params }, inputs: { rows }, outputs: ['rows'] };
}

/** Everything that an attempt says until it ends, or up to the event that is `enough`. */
export async function eventsOf(
  launcher: JobLauncher,
  job: SubmittedJob,
  enough: (event: JobEvent) => boolean = () => false,
  afterSeq = 0,
): Promise<JobEvent[]> {
  const events: JobEvent[] = [];
  for await (const event of launcher.follow(job, { afterSeq, signal: AbortSignal.timeout(100_000) })) {
    events.push(event);
    if (enough(event)) break;
  }
  return events;
}

/** A job that runs until it is told otherwise. */
export const endless = { steps: 10_000, secondsPerStep: 0.05 };
