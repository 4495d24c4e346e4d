import type { CommandOutcome } from '../../contracts/command-results.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { openPipeline } from '../pipeline-run.ts';
import { planOpened } from '../plan-opened.ts';
import { type SliceFlags, sliceOptions } from '../slice-flags.ts';

/** Options of `twin plan`. */
export interface PlanFlags extends SliceFlags {
  readonly set?: readonly string[];
  readonly offline?: true;
  readonly check?: true;
}

/** `twin plan <pipeline>`: what a run would do and why; nothing is changed, and Python is started by `--check` alone. */
export async function plan(context: CommandContext, flags: PlanFlags, pipeline: string): Promise<CommandOutcome> {
  const opened = await openPipeline(context, pipeline, { set: flags.set ?? [], writes: 'caches' });
  if (!opened.ok) return refused(opened.error);
  const outcome = await planOpened(opened.value, sliceOptions(flags), flags.offline === true);
  if (flags.check !== true) return outcome;
  const { needsPython, preflight } = await import('../preflight.ts');
  const { session, graph } = opened.value;
  const checks = await preflight(session, context.environment, needsPython(graph, session.config));
  const problems = [...outcome.problems, ...checks.flatMap(({ problem }) => (problem === null ? [] : [problem]))];
  if (problems.length > 0 || outcome.result.type !== 'plan') return refused(problems, outcome.result);
  const { checkTraining, trainingProblems } = await import('../check-training.ts');
  const training = await checkTraining(opened.value);
  const result = { ...outcome.result, ...(training.length > 0 && { training }) };
  const found = trainingProblems(training);
  return found.length === 0 ? done(result) : refused(found, result);
}
