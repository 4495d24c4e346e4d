import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JobEvent, type JobRequest, exitCodes } from '../contracts/worker-protocol.ts';
import { type AttemptStatus, attemptRequest } from './attempt-folder.ts';

/** What a further attempt is asked for: the params, and in words what differs from the job as it was submitted. */
export interface NextAttempt {
  readonly params: JobRequest['params'];
  readonly adaptations: readonly string[];
}

/** What was learned about the machine from the attempt before. */
export interface Machine {
  readonly device: string;
  readonly libraries: Readonly<Record<string, string>>;
}

/** The next attempt after one that lies in `folder`: a smaller one if memory ran out, else the same; what was adapted before stays so. */
export async function nextAttempt(submitted: JobRequest['params'], folder: string, status: AttemptStatus): Promise<NextAttempt> {
  const { params, adaptations } = await attemptRequest(folder);
  const same: NextAttempt = adaptations.length === 0 ? { params: submitted, adaptations } : { params, adaptations };
  const code = status.state === 'ended' ? status.exit.code : null;
  if (code === null || exitCodes[code as keyof typeof exitCodes]?.retry !== 'smaller') return same;
  return smallerAttempt(same, await machineOf(folder)) ?? same;
}

/**
 * The same work in less memory, one step down: a smaller micro-batch that accumulates as much more, then activations that are
 * computed again, then an optimizer with states of 8 bits. Null where there is no step left.
 */
export function smallerAttempt({ params, adaptations }: NextAttempt, { device, libraries }: Machine): NextAttempt | null {
  const changed = (change: JobRequest['params'], words: string): NextAttempt => ({
    params: { ...params, ...change },
    adaptations: [...adaptations, `out of memory: ${words}`],
  });
  const batch = params['batchSize'];
  const accumulation = params['gradientAccumulation'];
  if (typeof batch === 'number' && batch > 1) {
    const smaller = batch % 2 === 0 ? batch / 2 : 1;
    if (typeof accumulation === 'number') {
      const more = accumulation * (batch / smaller);
      const words = `batchSize ${batch} to ${smaller}, gradientAccumulation ${accumulation} to ${more}: the same effective batch`;
      return changed({ batchSize: smaller, gradientAccumulation: more }, words);
    }
    // What only answers or scores gives the same results in any batch.
    if ('maxNewTokens' in params) return changed({ batchSize: smaller }, `batchSize ${batch} to ${smaller}`);
  }
  if (
    'gradientCheckpointing' in params &&
    params['gradientCheckpointing'] !== true &&
    !(device === 'cuda' && params['gradientCheckpointing'] === null)
  ) {
    return changed({ gradientCheckpointing: true }, 'gradientCheckpointing on');
  }
  if (params['optimizer'] === 'adamw' && device === 'cuda' && 'bitsandbytes' in libraries) {
    return changed({ optimizer: 'adamw-8-bit' }, 'optimizer adamw to adamw-8-bit');
  }
  return null;
}

/** What the attempt's worker said of itself. */
async function machineOf(folder: string): Promise<Machine> {
  const text = await readFile(join(folder, 'events.jsonl'), 'utf8').catch(() => '');
  const first = text.slice(0, text.indexOf('\n'));
  if (first === '') return { device: 'cpu', libraries: {} };
  const event = JSON.parse(first) as JobEvent;
  return event.type === 'hello' ? event.data : { device: 'cpu', libraries: {} };
}
