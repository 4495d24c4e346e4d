import type { JobEvent } from '../contracts/worker-protocol.ts';
import { jobFailure } from '../engine/job-failure.ts';
import type { JobLauncher, JobSubmission } from '../ports/job-launcher.ts';

/** What a command that runs a job outside of any pipeline hears of it. */
export interface JobWatch {
  /** The command's name for errors: `models export`. */
  readonly what: string;
  /** When it aborts, the job is told to stop for good. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: JobEvent) => void;
}

/** Runs a job to its end and gives back the paths of its outputs; the same submission again finds what it made before. */
export async function runJob(launcher: JobLauncher, submission: JobSubmission, watch: JobWatch): Promise<Readonly<Record<string, string>>> {
  const { what, signal, onEvent } = watch;
  signal.throwIfAborted();
  const job = await launcher.submit(submission);
  const cancel = (): void => void launcher.command(job.id, 'cancel').catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  let error: (JobEvent & { readonly type: 'error' }) | null = null;
  try {
    for await (const event of launcher.follow(job, { afterSeq: 0, signal: new AbortController().signal })) {
      if (event.type === 'error') error = event;
      onEvent(event);
    }
  } finally {
    signal.removeEventListener('abort', cancel);
  }
  const state = await launcher.state(job.id);
  if (state?.state === 'ended' && state.exit.code === 0) return state.outputs;
  signal.throwIfAborted();
  throw jobFailure(what, submission.job, job.id, state, error);
}
