import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localJobLauncher } from '../src/adapters/job-launcher/local.ts';
import { EchoParams } from '../src/contracts/jobs.ts';
import type { PythonRuntime } from '../src/workers/python-runtime.ts';

/** What the start of one job was made of, in milliseconds. */
export interface JobStart {
  /** Until its attempt is on disk, a keeper has claimed it, and whoever asked knows it. */
  readonly submitted: number;
  /** Until its worker said hello, by the clock of the worker. */
  readonly hello: number;
  /** Until whoever asked has heard of it. */
  readonly heard: number;
}

/** Starts so many jobs of one step one after the other and says how long each took; the first, which starts the parent, is left out. */
export async function measureJobStarts(runtime: PythonRuntime, rounds: number, start: 'warm' | 'spawn'): Promise<readonly JobStart[]> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-job-start-'));
  try {
    const rows = join(folder, 'rows.jsonl');
    await writeFile(rows, '{"text":"one"}\n');
    const launcher = localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime, leaseSeconds: null, start });
    const starts: JobStart[] = [];
    for (let round = 0; round <= rounds; round++) {
      const params = EchoParams.parse({ steps: 1 });
      const asked = performance.now();
      const askedAt = Number(process.hrtime.bigint()) / 1e6;
      const job = await launcher.submit({ id: `job-${round}`, job: 'echo', params, inputs: { rows }, outputs: ['rows'] });
      const submitted = performance.now() - asked;
      let found: JobStart | null = null;
      for await (const event of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(60_000) })) {
        // Both processes read the clock of the machine.
        if (event.type === 'hello') found = { submitted, hello: event.t * 1000 - askedAt, heard: performance.now() - asked };
      }
      if (found !== null && round > 0) starts.push(found);
    }
    return starts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
