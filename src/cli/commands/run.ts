import type { CommandOutcome } from '../../contracts/command-results.ts';
import { type CommandContext, done, refused, usageProblem, wholeNumber } from '../context.ts';
import { openPipeline } from '../pipeline-run.ts';
import { planOpened } from '../plan-opened.ts';
import { runPipeline } from '../run-pipeline.ts';
import { type SliceFlags, sliceOptions } from '../slice-flags.ts';

/** Options of `twin run`, as the command line gives them. */
export interface RunFlags extends SliceFlags {
  readonly set?: readonly string[];
  readonly dryRun?: true;
  readonly keepGoing?: true;
  /** False for --no-wait. */
  readonly wait?: boolean;
  readonly strict?: true;
  readonly gate?: string;
  readonly detach?: true;
  /** `<address>=<value>,<value>`: a run for every combination. */
  readonly sweep?: readonly string[];
  /** Variants of a sweep at once. */
  readonly atOnce?: string;
}

/** `twin run <pipeline>`: what is unchanged is taken from the cache. */
export async function run(context: CommandContext, flags: RunFlags, pipeline: string): Promise<CommandOutcome> {
  const { set = [], gate, wait = true } = flags;
  if (gate !== undefined && gate !== 'strict') {
    return refused([
      {
        reason: 'invalid-flag',
        message: '--gate has a wrong value',
        expected: 'strict',
        found: gate,
        hint: 'Leave it out for the default: a verdict of fail or undecided is shown, and the run succeeds.',
        exit: 2,
      },
    ]);
  }
  const atOnce = wholeNumber('--at-once', flags.atOnce ?? '1');
  if (typeof atOnce !== 'number') return refused([atOnce]);
  if (flags.atOnce !== undefined && !flags.sweep) {
    return refused([
      usageProblem('invalid-flag', '--at-once does nothing without --sweep', 'Say what to sweep: --sweep <address>=<value>,<value>'),
    ]);
  }
  const dryRun = flags.dryRun === true;
  const opened = await openPipeline(context, pipeline, {
    set,
    writes: dryRun ? 'caches' : 'everything',
    manyJobs: flags.sweep !== undefined,
  });
  if (!opened.ok) return refused(opened.error);
  const sweep = flags.sweep ? await (await import('../run-sweep.ts')).openSweep(opened.value, flags.sweep, sliceOptions(flags)) : null;
  if (sweep !== null && !('planned' in sweep)) return refused(sweep);
  if (dryRun) return sweep ? done(sweep.planned) : await planOpened(opened.value, sliceOptions(flags));
  // What is wrong with the pipeline or its configuration has been said by now, in this terminal.
  if (flags.detach) return await (await import('../detach.ts')).detach(context, opened.value.session.wired.state.logs);
  const options = {
    ...sliceOptions(flags),
    keepGoing: flags.keepGoing === true,
    noWait: !wait,
    strict: flags.strict === true,
    gate: gate === 'strict' ? 'strict' : 'default',
  } as const;
  if (sweep) return await (await import('../run-sweep.ts')).runSweep(context, opened.value, sweep, { ...options, atOnce });
  return await runPipeline(context, opened.value, options);
}
