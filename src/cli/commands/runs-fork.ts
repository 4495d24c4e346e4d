import type { CommandOutcome } from '../../contracts/command-results.ts';
import { nearName } from '../../contracts/near-name.ts';
import { resultsOfRun } from '../../history/results-of-run.ts';
import { type CommandContext, refused, usageProblem } from '../context.ts';
import { findPastRun, paramsOfRun } from '../past-run.ts';
import { openPipeline } from '../pipeline-run.ts';
import { runPipeline } from '../run-pipeline.ts';

/** Options of `twin runs fork`. */
export interface ForkFlags {
  readonly from?: string;
  readonly set?: readonly string[];
  readonly force?: readonly string[];
  readonly keepGoing?: true;
  /** False for --no-wait. */
  readonly wait?: boolean;
}

/** `twin runs fork <step>`: a new run that begins at a step, with what came before it and the params of another run, but for those that are set. */
export async function forkRun(context: CommandContext, flags: ForkFlags, step: string): Promise<CommandOutcome> {
  const found = await findPastRun(context, flags.from ?? 'latest');
  if (!found.ok) return refused(found.error);
  const past = found.value;
  const opened = await openPipeline(context, past.pipeline, { set: flags.set ?? [], base: paramsOfRun(past) });
  if (!opened.ok) return refused(opened.error);
  const { graph, session } = opened.value;
  if (!graph.byAddress.has(step)) {
    const near = nearName(step, graph.byAddress.keys());
    const hint = near ? `Did you mean ${near}?` : `twin runs show ${past.run} lists its steps`;
    return refused([usageProblem('unknown-step', `Pipeline ${past.pipeline} has no step ${step}`, hint)]);
  }
  const { metadata } = await session.wired.stores();
  const results = await resultsOfRun(metadata, past);
  return await runPipeline(context, opened.value, {
    from: step,
    force: flags.force ?? [],
    keepGoing: flags.keepGoing === true,
    noWait: flags.wait === false,
    strict: past.setup.strict,
    gate: past.setup.gate,
    base: { run: past.run, results, resume: false },
    forkedAt: step,
  });
}
