import type { StepOutcome, StepReason } from '../contracts/run.ts';
import type { GraphNode } from './graph.ts';
import type { Settled } from './run-context.ts';

/** How a step ends without having begun, because of those that it waits for; null where it may begin. */
export function endOfUpstream(
  node: GraphNode,
  settled: ReadonlyMap<string, Settled>,
): { readonly outcome: StepOutcome; readonly reason: StepReason } | null {
  const read = new Set([...Object.values(node.inputs).map((wire) => wire.step), ...(node.when ? [node.when.wire.step] : [])]);
  let skipped: StepReason | null = null;
  let cancelled: StepReason | null = null;
  for (const address of node.dependencies) {
    const upstream = settled.get(address)!;
    if (upstream.outcome === 'cancelled' && upstream.reason === 'cancelled-by-user')
      return { outcome: 'cancelled', reason: 'cancelled-by-user' };
    if (upstream.outcome === 'failed' || upstream.outcome === 'cancelled') cancelled = 'upstream-failed';
    else if (upstream.refusal) skipped = 'gate-refused';
    else if (upstream.outcome === 'skipped' && standsInTheWay(upstream, read.has(address))) skipped ??= upstream.reason;
  }
  if (cancelled) return { outcome: 'cancelled', reason: cancelled };
  return skipped && { outcome: 'skipped', reason: skipped };
}

/** A refused gate stops all that comes after it; what a condition or the slice left out stops only those that would read what is not there. */
function standsInTheWay({ reason, artifacts }: Settled, read: boolean): boolean {
  return reason === 'gate-refused' || (read && artifacts === null);
}
