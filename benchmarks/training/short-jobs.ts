import { localJobLauncher } from '../../src/adapters/job-launcher/local.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';
import { atMost, type Figure } from '../figure.ts';
import { tinySft } from '../../tests/support/tiny-training.ts';

const steps = 60;

/** Tunes so many times in a row from one warm parent; the share of the time until each job was heard of. */
export async function measureShortJobs(runtime: PythonRuntime, folder: string, count: number): Promise<Figure> {
  const launcher = localJobLauncher({ jobsFolder: `${folder}/jobs`, runtime, leaseSeconds: null, start: 'warm' });
  const submission = await tinySft(launcher, folder);
  let [starting, total] = [0, 0];
  for (let number = 0; number < count; number += 1) {
    const asked = performance.now();
    const job = await launcher.submit(submission(`job-${number}`, steps, number));
    for await (const event of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(120_000) })) {
      if (event.type === 'hello') starting += performance.now() - asked;
    }
    total += performance.now() - asked;
    const state = await launcher.state(job.id);
    if (state?.state !== 'ended' || state.exit.code !== 0) throw new Error(`${job.id} did not end well: ${JSON.stringify(state)}`);
  }
  return atMost(
    `start of ${count} jobs of ${steps} steps (${(total / count / 1000).toFixed(2)} s each), of all their time`,
    (starting / total) * 100,
    '%',
    5,
  );
}
