import { localJobLauncher } from '../../src/adapters/job-launcher/local.ts';
import type { PythonRuntime } from '../../src/workers/python-runtime.ts';
import { workerVariables } from '../../src/workers/python-runtime.ts';
import { atMostTimes, type Figure, median, timeCommands } from '../figure.ts';
import { tinySft } from '../../tests/support/tiny-training.ts';

const rounds = 5;
// What the job imports before its first phase, by names and in nothing else.
const imports = 'import torch, peft, transformers, datasets; from trl import SFTConfig, SFTTrainer';

/** A tuning that nothing has prepared, until it has loaded its libraries, beside a Python that does that alone; interleaved. */
export async function measureColdStart(runtime: PythonRuntime, folder: string): Promise<Figure> {
  const launcher = localJobLauncher({ jobsFolder: `${folder}/jobs`, runtime, leaseSeconds: null });
  const submission = await tinySft(launcher, folder);
  const { python } = await runtime.ready();
  const env = workerVariables(runtime.workersFolder) as Record<string, string>;
  const [own, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    bare.push(timeCommands([{ name: 'import', command: [python, '-c', imports], env }], 1).get('import')!);
    const asked = performance.now();
    const job = await launcher.submit(submission(`job-${round}`, 1));
    let loaded = Number.NaN;
    for await (const event of launcher.follow(job, { afterSeq: 0, signal: AbortSignal.timeout(120_000) })) {
      if (event.type === 'phase' && event.data.name === 'load') loaded = performance.now() - asked;
    }
    own.push(loaded);
  }
  return atMostTimes('start of a cold job, until its libraries are there', median(own), 'ms', 'bare import', median(bare), 1.1);
}
