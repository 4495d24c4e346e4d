import type { CommandOutcome } from '../../contracts/command-results.ts';
import { type CommandContext, refused } from '../context.ts';
import { openPipeline } from '../pipeline-run.ts';
import { runPipeline } from '../run-pipeline.ts';

/** Options of `twin collect`. */
export interface CollectFlags {
  readonly prune?: true;
  readonly strict?: true;
  /** False for --no-wait. */
  readonly wait?: boolean;
}

/** `twin collect <path…>`: the collect pipeline on these sources. */
export async function collect(context: CommandContext, flags: CollectFlags, ...paths: readonly string[]): Promise<CommandOutcome> {
  const set = [`collect-sources.sources=${JSON.stringify(paths)}`, `collect-sources.prune=${flags.prune === true}`];
  const opened = await openPipeline(context, 'collect-pipeline', { set });
  if (!opened.ok) return refused(opened.error);
  return await runPipeline(context, opened.value, { noWait: flags.wait === false, strict: flags.strict === true });
}
