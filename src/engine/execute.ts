import { setMaxListeners } from 'node:events';
import type { RunEvent, RunFinished } from '../contracts/events/run.ts';
import type { Problem } from '../contracts/problem.ts';
import type { Holder, RunStatus } from '../contracts/run.ts';
import { countSteps } from '../history/fold.ts';
import type { PortSource } from '../ports/ports.ts';
import { openClaims } from './claims.ts';
import { announceRun, closeDeadRuns, runLease } from './close-runs.ts';
import { type CodeHasher, codeHasher } from './code-hash.ts';
import { problemOf } from './failure.ts';
import type { Dispatch } from './dispatch/offer.ts';
import { prepareNodes } from './fingerprint.ts';
import { type Graph, plannedStep } from './graph.ts';
import { openJournal } from './journal.ts';
import { Limiter } from './limits.ts';
import { acquireLease } from './locks.ts';
import { watchCancel } from './cancel-run.ts';
import type { ResolvedParams } from './params.ts';
import { openResults } from './results.ts';
import type { BaseRun, RunContext, Settled, Stores } from './run-context.ts';
import { newRunId } from './run-id.ts';
import type { RunOptions } from './run-options.ts';
import { schedule } from './schedule.ts';
import { type GivenSettings, setupOf } from './setup.ts';
import { settleNode } from './settle-node.ts';
import { missingForSlice, sliceOf } from './slice.ts';

/** What a run is made of. */
export interface RunRequest {
  readonly graph: Graph;
  readonly params: ResolvedParams;
  readonly stores: Stores;
  readonly ports: PortSource;
  readonly emit: (event: RunEvent) => void;
  /** Aborts the run: jobs stop at a checkpoint, or go on alone where the reason is `leaveJobs`. */
  readonly signal: AbortSignal;
  readonly options?: RunOptions;
  /** This process, and how it judges whether another one is certainly gone. */
  readonly holder: Holder;
  readonly isDead: (holder: Holder) => boolean;
  readonly profile: string;
  /** Hashes the code of steps; given where a plan has hashed it already. */
  readonly hasher?: CodeHasher;
  /** What the command line said, kept with the run. */
  readonly given?: GivenSettings;
  /** The run that this one continues or forks. */
  readonly base?: BaseRun;
  /** Hands steps over to workers; absent where all are done in this process. */
  readonly dispatch?: (context: Omit<RunContext, 'dispatch'>, pipeline: string) => Dispatch;
}

/** Steps that may be under way at once where workers do them: most of them wait for a worker. */
const handedOverAtOnce = 64;

/** How a run ended. `problem` is what to tell first; `problems` are all that stood in the way of starting, in which case nothing was written. */
export type RunEnd = RunFinished & { readonly problem?: Problem; readonly problems?: readonly Problem[] };

/** Runs a graph: closes dead runs, settles every step, journals all of it. Expected failures are in the result; only bugs throw. */
export async function executeRun(request: RunRequest): Promise<RunEnd> {
  const { graph, stores, emit, holder, isDead } = request;
  const options = request.options ?? {};
  const begun = performance.now();
  const offset = (await stores.metadata.now()) - Date.now();
  const now = (): number => Date.now() + offset;
  const run = newRunId(now());
  const leases = { store: stores.metadata, holder, isDead };

  const slice = sliceOf(graph, options);
  const hasher = request.hasher ?? codeHasher(stores.cache);
  const prepared = await prepareNodes(graph, request.params, hasher);
  const results = await openResults(graph, stores.metadata, stores.artifacts);
  const lent = { latest: (address: string) => request.base?.results.get(address) ?? results.latest(address) };
  const lacking = slice.ok ? missingForSlice(graph, slice.value, lent) : [];
  const problems = [...(slice.ok ? [] : slice.error), ...(prepared.ok ? [] : prepared.error), ...lacking];
  if (!slice.ok || !prepared.ok || problems.length > 0) return refuseToStart(run, graph, problems);

  await closeDeadRuns(leases, emit);
  const failure = new AbortController();
  let cancelledBy: Holder | null = null;
  const signal = AbortSignal.any([request.signal, failure.signal]);
  setMaxListeners(0, signal, request.signal);
  // Nobody else knows this run's name, so there is nothing to wait for, and a run that is stopped already still says so in its journal.
  const patience = { signal: new AbortController().signal, noWait: true, onWait: () => undefined };
  const lease = await acquireLease(leases, runLease(run), patience);
  const onFailure = (error: unknown): void => failure.abort(error);
  lease.lost.addEventListener('abort', () => onFailure(lease.lost.reason), { once: true });
  const journal = openJournal(stores.metadata, run, results.latestKeys, onFailure);
  const context = openContext(request, {
    run,
    now,
    signal,
    slice: slice.value,
    prepared: prepared.value,
    journal,
    results,
    leases,
    options,
    hasher,
    base: request.base ?? null,
    claims: openClaims(leases, run, { signal, noWait: options.noWait ?? false }),
  });

  let unwatch = (): void => undefined;
  try {
    const steps = graph.nodes.map(plannedStep);
    const { profile } = request;
    const origin = request.base?.run ?? null;
    await announceRun(leases, run);
    const setup = setupOf(prepared.value, options, request.given ?? {});
    journal.record({ type: 'run-started', run, pipeline: graph.pipeline, at: now(), holder, profile, steps, origin, setup });
    await journal.flush();
    await context.claims.settleIn();
    emit({ type: 'run-started', run, pipeline: graph.pipeline, steps });
    unwatch = watchCancel(stores.metadata, run, (by) => {
      cancelledBy = by;
      emit({ type: 'cancel-requested', run, by });
      failure.abort(new Error('The run was cancelled'));
    });
    await schedule(graph.nodes, (node) => settleNode(context, node));
    const end = endOf(context, graph, Math.round(performance.now() - begun), cancelledBy);
    journal.record({ type: 'run-finished', status: end.status, reason: end.reason, steps: end.steps, durationMs: end.durationMs });
    await journal.flush();
    emit(finishedEvent(end));
    return end;
  } catch (error) {
    // The journal cannot be written: whatever was not written is done again by the next run, which closes this one.
    const problem = problemOf(error, run);
    const end = {
      ...endOf(context, graph, Math.round(performance.now() - begun)),
      status: 'failed',
      reason: problem.reason,
      problem,
    } as const;
    emit(finishedEvent(end));
    return end;
  } finally {
    unwatch();
    await context.claims.close().catch(() => undefined);
    await context.dispatch?.close();
    await lease.release().catch(() => undefined);
  }
}

function openContext(
  { stores, ports, emit, options = {}, graph, dispatch }: RunRequest,
  rest: Omit<RunContext, 'dispatch' | 'stores' | 'ports' | 'emit' | 'settled' | 'room' | 'inFlight' | 'kept' | 'stopped' | 'abandoned'>,
): RunContext {
  const pools = new Map<string, Limiter>();
  const pool = (name: string): Limiter => {
    let limiter = pools.get(name);
    if (!limiter)
      pools.set(name, (limiter = new Limiter(options.pools?.[name.replace(/^pool /, '')]?.limit ?? (dispatch ? handedOverAtOnce : 1))));
    return limiter;
  };
  const room = { all: new Limiter(options.concurrency ?? (dispatch ? handedOverAtOnce : 2)), pool };
  const context = {
    ...rest,
    stores,
    ports,
    emit,
    room,
    settled: new Map<string, Settled>(),
    inFlight: new Map<string, Promise<unknown>>(),
    kept: new Set<string>(),
    stopped: false,
    abandoned: new Set<string>(),
  };
  return { ...context, dispatch: dispatch?.(context, graph.pipeline) ?? null };
}

function endOf(context: RunContext, graph: Graph, durationMs: number, by: Holder | null = null): RunEnd {
  const { run, settled } = context;
  const ends = graph.nodes.map((node) => ({ address: node.address, ...(settled.get(node.address) ?? notSettled) }));
  const failed = ends.filter((end) => end.outcome === 'failed');
  const refused = ends.filter((end) => end.refusal !== null);
  const cancelled = ends.some((end) => end.reason === 'cancelled-by-user');
  const gap = failed.find((end) => end.problem?.reason === 'gap-detected');
  const status: RunStatus = failed.length > 0 ? 'failed' : cancelled ? 'cancelled' : refused.length > 0 ? 'refused' : 'succeeded';
  const asked = by && status === 'cancelled' ? `asked for by process ${by.pid} on ${by.host}` : null;
  const reason = asked ?? (gap ? 'gap-detected' : status === 'refused' ? refused.flatMap((end) => end.refusal ?? []).join('; ') : null);
  const problem = (gap ?? failed[0])?.problem ?? (status === 'refused' ? refusedProblem(refused[0]!) : null);
  const steps = countSteps(ends.map((end) => end.outcome));
  return { type: 'run-finished', run, pipeline: graph.pipeline, status, reason, steps, durationMs, ...(problem && { problem }) };
}

const notSettled: Pick<Settled, 'outcome' | 'reason' | 'problem' | 'refusal' | 'checks'> = {
  outcome: 'cancelled',
  reason: 'cancelled-by-user',
  problem: null,
  refusal: null,
};

function refusedProblem({ address, refusal, checks = [] }: Pick<Settled, 'refusal' | 'checks'> & { readonly address: string }): Problem {
  const blocked = checks.find(({ ok, level }) => !ok && level === 'blocking');
  if (blocked) {
    return {
      reason: 'check-refused',
      message: `Check ${blocked.name} of ${address}.${blocked.output} does not hold`,
      where: address,
      expected: blocked.expected ?? '',
      found: blocked.found ?? '',
      hint: 'Steps that need it were skipped; what was made is kept and is checked again when it or the check changes',
      exit: 3,
    };
  }
  return {
    reason: 'gate-refused',
    message: `Gate ${address} refuses: ${(refusal ?? []).join('; ')}`,
    where: address,
    hint: 'Its report names what to change; steps that need its pass were skipped',
    exit: 3,
  };
}

function refuseToStart(run: string, graph: Graph, problems: readonly Problem[]): RunEnd {
  const steps = { succeeded: 0, cached: 0, failed: 0, skipped: 0, cancelled: graph.nodes.length };
  const [problem] = problems;
  const reason = problem?.reason ?? null;
  return {
    type: 'run-finished',
    run,
    pipeline: graph.pipeline,
    status: 'failed',
    reason,
    steps,
    durationMs: 0,
    ...(problem && { problem }),
    problems,
  };
}

function finishedEvent({ type, run, pipeline, status, reason, steps, durationMs }: RunEnd): RunFinished {
  return { type, run, pipeline, status, reason, steps, durationMs };
}
