import type { CommandOutcome } from '../contracts/command-results.ts';
import type { RunEvent } from '../contracts/events/run.ts';
import type { Json } from '../contracts/digest.ts';
import type { Problem } from '../contracts/problem.ts';
import type { SweepFinished, SweepPlace, SweepPlanned, SweepVariant } from '../contracts/sweep.ts';
import { codeHasher } from '../engine/code-hash.ts';
import { type ParamOverride, type ResolvedParams, resolveParams } from '../engine/params.ts';
import { planRun } from '../engine/plan.ts';
import type { RunOptions } from '../engine/run-options.ts';
import { newRunId } from '../engine/run-id.ts';
import { paces } from '../history/paces.ts';
import { type CommandContext, done, refused } from './context.ts';
import type { OpenedPipeline } from './pipeline-run.ts';
import { readSweep, type SweptParam, variantsOf } from './read-sweep.ts';
import { problemsBefore, runChecked, type RunPipelineOptions } from './run-pipeline.ts';
import { handsOver } from './shared-stores.ts';
import { compareVariants, eachVariant, variantJob } from './sweep-jobs.ts';

/** A sweep whose params the steps take. */
export interface OpenedSweep {
  readonly planned: SweepPlanned;
  readonly variants: readonly { readonly given: Readonly<Record<string, ParamOverride>>; readonly opened: OpenedPipeline }[];
}

/** Reads the flags of a sweep and gives every variant its params: all mistakes at once, before anything runs. */
export async function openSweep(
  opened: OpenedPipeline,
  flags: readonly string[],
  options: RunOptions,
): Promise<OpenedSweep | readonly Problem[]> {
  const swept = readSweep(flags, opened.set);
  if (!swept.ok) return swept.error;
  const variants: OpenedSweep['variants'][number][] = [];
  const problems = new Map<string, Problem>();
  for (const given of variantsOf(swept.value)) {
    const kept = Object.entries(opened.overrides).filter(([address]) => !Object.hasOwn(given, address));
    // What was given last holds where one address lies within another.
    const overrides = { ...Object.fromEntries(kept), ...given };
    const params = resolveParams(opened.graph, overrides);
    if (params.ok) variants.push({ given, opened: { ...opened, overrides, params: params.value } });
    else for (const problem of params.error) problems.set(JSON.stringify(problem), problem);
  }
  if (problems.size > 0) return [...problems.values()];
  return { planned: await planSweep(opened, swept.value, variants[0]!.opened.params, variants.length, options), variants };
}

/** What a sweep does, and how long it takes by earlier runs: the first variant as it is planned, of the others every step that they do not share. */
async function planSweep(
  { graph, session }: OpenedPipeline,
  swept: readonly SweptParam[],
  params: ResolvedParams,
  variants: number,
  options: RunOptions,
): Promise<SweepPlanned> {
  const stores = await session.wired.stores();
  const plan = await planRun({ graph, params, stores, ports: session.wired.ports, options });
  const each = eachVariant(graph, addressesOf(swept));
  const known = await paces(stores.metadata, graph.pipeline);
  const steps = plan.ok ? plan.value.steps.filter(({ prediction }) => prediction.kind !== 'skip' || prediction.reason !== 'slice') : [];
  const own = steps.filter(({ address }) => each.has(address));
  const again = own.reduce((sum, { address }) => sum + (known.get(address)?.medianMs ?? 0), 0);
  return {
    type: 'sweep-planned',
    sweep: `sweep-${newRunId(await stores.metadata.now())}`,
    pipeline: graph.pipeline,
    swept: swept.map(({ address, values }) => ({ address, values: values.map(({ value }) => value as Json) })),
    variants,
    steps: { shared: steps.length - own.length, each: own.length },
    mostMs: (plan.ok ? plan.value.estimate.mostMs : 0) + (variants - 1) * again,
    unmeasured: plan.ok ? plan.value.estimate.unmeasured : 0,
  };
}

/** How a sweep goes about its variants, beyond how each run goes about its steps. */
export interface SweepOptions extends RunPipelineOptions {
  /** Variants at once. */
  readonly atOnce: number;
}

/**
 * Runs each variant as a run of its own: what they share is done by one and found by the others, one warm parent forks all of their jobs,
 * and a variant that fails does not take the others with it. Begun again after a kill, it finds what was done.
 */
export async function runSweep(
  context: CommandContext,
  opened: OpenedPipeline,
  { planned, variants }: OpenedSweep,
  { atOnce, ...options }: SweepOptions,
): Promise<CommandOutcome> {
  const problems = await problemsBefore(context, opened);
  if (problems.length > 0) return refused(problems);
  await context.tell(planned);
  const begun = performance.now();
  const { wired } = opened.session;
  const hasher = codeHasher((await wired.stores()).cache);
  const addresses = planned.swept.map(({ address }) => address);
  // Of several runs at once, each tells its end alone: lines of steps do not say whose they are.
  const emit = atOnce === 1 ? context.emit : (event: RunEvent) => (event.type === 'run-finished' ? context.emit(event) : undefined);
  const told: SweepVariant[] = [];
  const exits: number[] = [];
  let stopped = false;
  const queue = variants.entries();
  const work = async (): Promise<void> => {
    for (const [index, { given, opened: variant }] of queue) {
      const values = Object.fromEntries(Object.entries(given).map(([address, { value }]) => [address, value])) as SweepPlace['values'];
      const line = { type: 'sweep-variant', variant: index + 1, values } as const;
      if (stopped || context.signal.aborted) {
        told[index] = { ...line, run: null, status: 'not-run', problem: null, durationMs: 0, job: null };
        continue;
      }
      context.progress(`Variant ${index + 1} of ${variants.length}: ${valueWords(given)}`);
      const sweep = { sweep: planned.sweep, variant: index + 1, variants: variants.length, values };
      const since = performance.now();
      const pools = atOnce === 1 || handsOver(variant.session.config) ? {} : { pools: poolsFor(variant, atOnce) };
      const { outcome, view } = await runClosed({ ...context, emit }, variant, { ...pools, ...options, hasher, sweep });
      exits.push(outcome.exit);
      const failed = view?.steps.find(({ problem }) => problem !== null)?.problem ?? outcome.problems[0] ?? null;
      const status = view === null || view.status === 'running' ? 'failed' : view.status;
      // Whoever cancels the run of a variant, from another terminal say, means the sweep.
      stopped ||= status === 'cancelled';
      const job = view && (await variantJob(wired.state.jobs, variant.graph, addresses, view));
      if (outcome.problems.length > 0) context.complain(outcome.problems);
      const durationMs = Math.round(performance.now() - since);
      told[index] = { ...line, run: view?.run ?? null, status, problem: failed?.message ?? null, durationMs, job };
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, variants.length) }, work));
  const { sweep, pipeline } = planned;
  const durationMs = Math.round(performance.now() - begun);
  const finished: SweepFinished = { type: 'sweep-finished', sweep, pipeline, variants: told, durationMs, report: null };
  const report = await compareVariants(wired.state, finished, context.progress);
  // The first failure counts more than a refusal, and both more than success.
  return done({ ...finished, report }, exits.find((exit) => exit !== 0 && exit !== 3) ?? Math.max(0, ...exits));
}

/** Room for all variants at once in the pools of which the configuration says nothing: one step at once would have them wait for each other. */
function poolsFor({ graph, session }: OpenedPipeline, atOnce: number): NonNullable<RunPipelineOptions['pools']> {
  const named = graph.nodes.flatMap(({ step }) => (step.pool === undefined ? [] : [[step.pool, { limit: atOnce }] as const]));
  return { ...Object.fromEntries(named), ...(session.config.pools as NonNullable<RunPipelineOptions['pools']>) };
}

/** Runs one variant and closes what it opened for itself, so that two hundred leave nothing open. */
async function runClosed(context: CommandContext, opened: OpenedPipeline, options: RunPipelineOptions) {
  const closing: (() => Promise<void>)[] = [];
  try {
    return await runChecked({ ...context, onEnd: (close) => void closing.push(close) }, opened, options);
  } finally {
    for (const close of closing.toReversed()) await close();
  }
}

function addressesOf(swept: readonly SweptParam[]): readonly string[] {
  return swept.map(({ address }) => address);
}

function valueWords(given: Readonly<Record<string, ParamOverride>>): string {
  return Object.entries(given)
    .map(([address, { text }]) => `${address}=${text}`)
    .join(' ');
}
