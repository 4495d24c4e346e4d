import { z } from 'zod';
import type { CommandOutcome } from '../contracts/command-results.ts';
import type { RunEvent, RunFinished } from '../contracts/events/run.ts';
import type { Problem } from '../contracts/problem.ts';
import type { RunView } from '../contracts/run-view.ts';
import type { SweepPlace } from '../contracts/sweep.ts';
import type { CodeHasher } from '../engine/code-hash.ts';
import { executeRun, type RunEnd, type RunRequest } from '../engine/execute.ts';
import { originsOf } from '../engine/params.ts';
import type { BaseRun } from '../engine/run-context.ts';
import type { RunOptions } from '../engine/run-options.ts';
import { paces } from '../history/paces.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import { currentHolder, isDeadForSure } from '../workers/holder.ts';
import { type CommandContext, done, refused } from './context.ts';
import { jsonValue } from './json-artifact.ts';
import type { OpenedPipeline } from './pipeline-run.ts';
import { needsPython, preflight } from './preflight.ts';
import { guardSteps } from './guard-steps.ts';
import { openRunLog } from './run-log.ts';
import type { Session } from './session.ts';
import { handsOver, ownPorts } from './shared-stores.ts';
import { afterRun } from './after-run.ts';

/** How a run is started, beyond what the engine is told. */
export interface RunPipelineOptions extends RunOptions {
  /** Rejected input refuses the run after all. */
  readonly strict?: boolean;
  /** The run that this one continues or forks, and where it does so. */
  readonly base?: BaseRun;
  readonly forkedAt?: string;
  /** The variant of a sweep that this run is. */
  readonly sweep?: SweepPlace;
  /** Hashes the code of steps; given where several runs share what is known of it. */
  readonly hasher?: CodeHasher;
  /** Says more before the end of the run is told; given every event of a finished step. */
  readonly beforeEnd?: (steps: readonly StepFinished[]) => Promise<void>;
}

/** Rejected input that the problem of --strict names; the rest is counted. */
const rejectionsShown = 10;
/** An output that names what was rejected. */
const Rejections = z.object({ rejections: z.array(z.object({ message: z.string() })) });

type StepFinished = Extract<RunEvent, { type: 'step-finished' }>;

/** Checks everything that the run needs, runs the pipeline, keeps its log, and says how the process shall exit. */
export async function runPipeline(context: CommandContext, opened: OpenedPipeline, options: RunPipelineOptions): Promise<CommandOutcome> {
  const problems = await problemsBefore(context, opened);
  return problems.length > 0 ? refused(problems) : (await runChecked(context, opened, options)).outcome;
}

/** What is missing of all that a run of the pipeline needs. */
export async function problemsBefore({ environment }: CommandContext, { session, graph }: OpenedPipeline): Promise<readonly Problem[]> {
  const checks = await preflight(session, environment, needsPython(graph, session.config));
  return checks.flatMap(({ problem }) => (problem === null ? [] : [problem]));
}

/** Runs a pipeline for which nothing is missing; `view` is null where it did not begin or its journal cannot be read. */
export async function runChecked(
  context: CommandContext,
  opened: OpenedPipeline,
  { strict = false, beforeEnd, base, forkedAt, sweep, hasher, ...options }: RunPipelineOptions,
): Promise<{ readonly outcome: CommandOutcome; readonly view: RunView | null }> {
  const { session, graph, params, overrides, set } = opened;
  const { wired } = session;
  const log = openRunLog(wired.state.logs, context);
  context.onEnd(() => log.close());
  const steps: StepFinished[] = [];
  let finished: RunFinished | null = null;
  const stores = await wired.stores();
  const known = await paces(stores.metadata, graph.pipeline);
  const expectedMs = Object.fromEntries([...known].map(([step, { medianMs }]) => [step, medianMs]));
  const emit = (event: RunEvent) => {
    log.write(event);
    if (event.type === 'step-finished') steps.push(event);
    if (event.type === 'run-finished') finished = event;
    else context.emit(event.type === 'run-started' ? { ...event, expectedMs } : event);
  };
  const dispatch = handsOver(session.config) ? await handover(session) : null;
  const unguard = guardSteps();
  const end = await executeRun({
    graph,
    params,
    stores,
    ports: wired.ports,
    emit,
    signal: context.signal,
    options: { pools: session.config.pools as NonNullable<RunOptions['pools']>, ...options },
    holder: currentHolder(context.line),
    isDead: isDeadForSure,
    profile: context.profile,
    given: { set, strict, origins: originsOf(graph, overrides), ...(forkedAt !== undefined && { forkedAt }), ...(sweep && { sweep }) },
    ...(base && { base }),
    ...(hasher && { hasher }),
    ...(dispatch && { dispatch }),
  }).finally(unguard);
  if (end.problems !== undefined) return { outcome: refused(end.problems), view: null };
  const rejected = strict ? steps.reduce((sum, { counts }) => sum + rejectedIn(counts), 0) : 0;
  if (rejected > 0) context.complain([rejectedProblem(rejected, end.run, await rejectionsOf(steps, stores.artifacts))]);
  await beforeEnd?.(steps);
  const after = await afterRun(context, wired, end.run, log);
  if (finished !== null) context.emit({ ...(finished as RunFinished), report: after?.report ?? null });
  if (after !== null && (context.environment['GITHUB_STEP_SUMMARY'] || context.environment['GITHUB_ACTIONS'] === 'true')) {
    await (await import('./github.ts')).tellGitHub(context, after);
  }
  const exit = rejected > 0 && end.status === 'succeeded' ? 3 : exitOf(end);
  return { outcome: done({ type: 'none' }, exit), view: after?.view ?? null };
}

/** How the run hands its steps over to workers. */
async function handover({ wired, config }: Session): Promise<NonNullable<RunRequest['dispatch']>> {
  const { openDispatch } = await import('../engine/dispatch/offer.ts');
  const options = { queue: await wired.ports.open('workQueue'), ownPorts: ownPorts(config) };
  return (runContext, pipeline) => openDispatch(options, runContext, pipeline);
}

/** 0 done, 3 refused by a gate, 1 stopped; a run that failed ends as its first problem says. */
function exitOf({ status, problem }: RunEnd): number {
  switch (status) {
    case 'succeeded':
      return 0;
    case 'refused':
      return 3;
    case 'cancelled':
      return 1;
    case 'failed':
      return problem?.exit ?? 1;
  }
}

function rejectedIn(counts: Readonly<Record<string, number>>): number {
  return Object.entries(counts).reduce(
    (sum, [name, amount]) => (name === 'rejected' || name.startsWith('rejected: ') ? sum + amount : sum),
    0,
  );
}

/** What the steps say about what they rejected, in this run or in the one that they took their result from. */
async function rejectionsOf(steps: readonly StepFinished[], artifacts: ArtifactStore): Promise<readonly string[]> {
  const values = await Promise.all(
    steps.flatMap((step) => Object.values(step.artifacts)).map((artifact) => jsonValue(artifacts, artifact)),
  );
  return values.flatMap((value) => Rejections.safeParse(value).data?.rejections.map(({ message }) => message) ?? []);
}

function rejectedProblem(rejected: number, run: string, rejections: readonly string[]): Problem {
  const shown = rejections.slice(0, rejectionsShown);
  const more = rejected - shown.length;
  return {
    reason: 'input-rejected',
    message:
      rejected === 1
        ? '1 piece of the input was rejected, and --strict allows none'
        : `${rejected} pieces of the input were rejected, and --strict allows none`,
    ...(shown.length > 0 && { found: [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n') }),
    hint: shown.length > 0 ? 'Mend or remove them, or run without --strict.' : `Each is named in: twin runs logs ${run}`,
    exit: 3,
  };
}
