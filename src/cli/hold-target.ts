import { acquireLease, type Lease } from '../engine/locks.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { currentHolder, isDeadForSure } from '../workers/holder.ts';
import type { CommandContext } from './context.ts';

/** Takes hold of what an effect step changes, as a run does; waits for a run that has it and says so, or fails at once with `noWait`. */
export async function holdTarget(context: CommandContext, store: MetadataStore, target: string, noWait = false): Promise<Lease> {
  const client = { store, holder: currentHolder(context.line), isDead: isDeadForSure };
  const lease = await acquireLease(client, `effect/${target}`, {
    signal: context.signal,
    noWait,
    onWait: ({ command, pid, host }) => context.progress(`Waiting for ${command} (process ${pid} on ${host}), which holds ${target}`),
  });
  context.onEnd(() => lease.release());
  return lease;
}
