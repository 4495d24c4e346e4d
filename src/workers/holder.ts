import { hostname } from 'node:os';
import type { Holder } from '../contracts/run.ts';
import { bootId, isAlive, pidNamespace, processIdentity } from './process-identity.ts';

/** This very process as the holder of a run or a lock; `command` says to a person what it is doing. */
export function currentHolder(command: string): Holder {
  const identity = processIdentity(process.pid);
  if (identity === null) throw new Error(`Process ${process.pid} cannot find itself in the process table`);
  return { host: hostname(), bootId: identity.bootId, pidNamespace: pidNamespace(), pid: identity.pid, start: identity.start, command };
}

/**
 * Whether a holder can hold nothing any more: it was a process of this host and pid namespace, and it is gone.
 * Of a holder elsewhere nothing is known, so its lease must run out.
 */
export function isDeadForSure(holder: Holder): boolean {
  return holder.host === hostname() && holder.bootId === bootId() && holder.pidNamespace === pidNamespace() && !isAlive(holder);
}
