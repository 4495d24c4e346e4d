import { ProblemError } from '../contracts/problem.ts';
import type { Check } from './preflight.ts';
import type { Session } from './session.ts';

const subject = 'vector index';

/** Whether the server of the vector index answers and lets us in; nothing is to be said of a file. */
export async function checkVectorIndex({ config, wired }: Session): Promise<readonly Check[]> {
  const { vectorIndex, index } = config;
  if (vectorIndex.kind === 'sqlite') return [];
  try {
    const generation = await (await wired.ports.open('vectorIndex')).alias(index);
    const holds = generation === null ? `no index ${index} yet` : `${index} is ${generation}`;
    return [{ subject, found: `Qdrant at ${vectorIndex.url}: ${holds}`, problem: null }];
  } catch (error) {
    if (error instanceof ProblemError) return [{ subject, found: '', problem: error.problem }];
    throw error;
  }
}
