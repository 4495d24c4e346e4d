import { ProblemError } from '../contracts/problem.ts';
import { readWorkers } from '../engine/dispatch/tables.ts';
import type { Check } from './preflight.ts';
import type { Session } from './session.ts';
import { handsOver } from './shared-stores.ts';

/** The servers that hosts share, each asked for something small. All that is wrong comes at once. */
export async function checkServers({ wired, config }: Session): Promise<readonly Check[]> {
  const { metadataStore, artifactStore } = config;
  const checks: Promise<readonly Check[]>[] = [];
  if (metadataStore.kind === 'mongodb') {
    checks.push(checkOne('journal', `MongoDB, database ${metadataStore.database}`, async () => (await wired.journal()).now()));
  }
  if (artifactStore.kind === 's3') {
    checks.push(
      checkOne('artifacts', `S3, bucket ${artifactStore.bucket}`, async () => {
        // A single object says nothing about whether the bucket is there.
        for await (const _ of (await wired.ports.open('artifactStore')).list()) break;
      }),
    );
  }
  if (handsOver(config)) {
    checks.push(checkOne('queue', 'Redis, which evicts nothing', async () => (await wired.ports.open('workQueue')).enqueue([])));
    checks.push(checkWorkers(wired));
  }
  return (await Promise.all(checks)).flat();
}

async function checkOne(subject: string, found: string, ask: () => Promise<unknown>): Promise<readonly Check[]> {
  try {
    await ask();
    return [{ subject, found, problem: null }];
  } catch (error) {
    if (error instanceof ProblemError) return [{ subject, found: '', problem: error.problem }];
    throw error;
  }
}

/** Who would do the steps of a run; nothing where the journal cannot be asked, which is told already. */
async function checkWorkers(wired: Session['wired']): Promise<readonly Check[]> {
  const subject = 'workers';
  const workers = await wired
    .journal()
    .then(readWorkers, () => null)
    .catch(() => null);
  if (workers === null) return [];
  if (workers.size === 0) {
    const note = 'Steps are done where twin run is, until there is one: twin worker --profile <name>';
    return [{ subject, found: 'none is alive', problem: null, note }];
  }
  const pools = new Map<string, { slots: number; hosts: Set<string> }>();
  for (const { pool, concurrency, holder } of workers.values()) {
    const known = pools.get(pool) ?? { slots: 0, hosts: new Set<string>() };
    known.slots += concurrency;
    known.hosts.add(holder.host);
    pools.set(pool, known);
  }
  const words = [...pools].map(([pool, { slots, hosts }]) => `${pool}: ${slots} at once on ${[...hosts].join(', ')}`);
  return [{ subject, found: words.join('; '), problem: null }];
}
