import type { CommandOutcome } from '../contracts/command-results.ts';
import { planRun } from '../engine/plan.ts';
import type { RunOptions } from '../engine/run-options.ts';
import { done, refused } from './context.ts';
import type { OpenedPipeline } from './pipeline-run.ts';

/** What a run with these options would do. */
export async function planOpened(
  { session, graph, params }: OpenedPipeline,
  options: RunOptions,
  offline = false,
): Promise<CommandOutcome> {
  const { wired } = session;
  const plan = await planRun({ graph, params, stores: await wired.stores(), ports: wired.ports, options, offline });
  return plan.ok ? done({ type: 'plan', plan: plan.value }) : refused(plan.error);
}
