import type { ArtifactReference } from '../contracts/artifact.ts';
import type { Problem } from '../contracts/problem.ts';
import type { FingerprintParts } from '../contracts/run.ts';
import type { ConditionOutcome } from './define.ts';
import { settleEffect } from './effect.ts';
import { problemOf } from './failure.ts';
import { type PreparedNode, fingerprint, keyOf } from './fingerprint.ts';
import type { GraphNode, Wire } from './graph.ts';
import { readJson } from './inputs.ts';
import { observe } from './observe.ts';
import { reuseOrDo } from './reuse.ts';
import { runChecks } from './run-checks.ts';
import { type RunContext, type Settled, digestsOf } from './run-context.ts';
import { ended } from './settled.ts';
import { endOfUpstream } from './upstream.ts';
import { hurry, leaveJobs } from './run-options.ts';
import { type Work, doWork } from './work.ts';

/** Whoever sent SIGTERM does not wait for long. */
const hurriedCleanupMs = 3_000;

/** Brings a node of the run to its end, whatever that is; journals and tells it. Never rejects. */
export async function settleNode(context: RunContext, node: GraphNode): Promise<void> {
  const startedAt = performance.now();
  const settled = await endOf(context, node)
    .then((settled) => runChecks(context, node, settled))
    .catch((error: unknown) =>
      context.signal.aborted ? ended('cancelled', 'cancelled-by-user') : ended('failed', 'error', problemOf(error, node.address)),
    );
  const { outcome, reason, counts, key, parts, problem } = settled;
  context.settled.set(node.address, settled);
  if (outcome === 'failed' && !context.options.keepGoing) context.stopped = true;
  const artifacts = outcome === 'skipped' ? {} : (settled.artifacts ?? {});
  const told = {
    step: node.address,
    outcome,
    reason,
    counts,
    artifacts,
    durationMs: Math.round(performance.now() - startedAt),
    problem,
    ...(settled.checks && { checks: settled.checks }),
  };
  context.journal.record({
    type: 'step-finished',
    ...told,
    key,
    parts: (outcome === 'succeeded' && !settled.partial) || outcome === 'failed' || settled.unjournaled ? parts : null,
    at: context.now(),
  });
  if (key !== null) context.claims.done(key, () => context.journal.flush());
  context.emit({ type: 'step-finished', run: context.run, ...told });
}

async function endOf(context: RunContext, node: GraphNode): Promise<Settled> {
  const prepared = context.prepared.get(node.address)!;
  if (!context.slice.steps.has(node.address)) return outsideSlice(context, node);
  if (node.cleanupMs !== null) return cleanUp(context, prepared, node.cleanupMs);
  if (context.signal.aborted) return ended('cancelled', 'cancelled-by-user');
  const end = endOfUpstream(node, context.settled);
  if (end) return ended(end.outcome, end.reason);
  if (context.stopped) return ended('cancelled', 'upstream-failed');
  if (node.when) {
    const condition = await conditionOf(context, node.when);
    if (condition !== true) return ended('skipped', condition === 'no-champion' ? 'no-champion' : 'condition');
  }
  const work = await workOf(context, prepared);
  return node.kind === 'effect' ? settleEffect(work) : reuseOrDo(work);
}

/** Gives back what others took, however they ended and whoever stopped the run, within a time of its own; never a hit. */
async function cleanUp(context: RunContext, prepared: PreparedNode, withinMs: number): Promise<Settled> {
  const { node } = prepared;
  if (context.signal.reason === leaveJobs) return ended('cancelled', 'cancelled-by-user');
  const lacking = Object.values(node.inputs).some((wire) => !context.settled.get(wire.step)?.artifacts?.[wire.output]);
  if (lacking) return ended('cancelled', 'upstream-failed');
  const signal = AbortSignal.timeout(context.signal.reason === hurry ? Math.min(withinMs, hurriedCleanupMs) : withinMs);
  const slice = { ...context.slice, forced: new Set([...context.slice.forced, node.address]) };
  const options = { ...context.options, graceMs: 0 };
  const own: RunContext = { ...context, signal, slice, options, stopped: false };
  const work = await workOf(own, prepared);
  const settled = await (node.kind === 'effect' ? settleEffect(work) : doWork(work));
  return settled.outcome === 'cancelled' ? ended('failed', 'timed-out', tooSlow(node.address, withinMs)) : settled;
}

function tooSlow(address: string, withinMs: number): Problem {
  return {
    reason: 'timed-out',
    message: `Step ${address} did not clean up in time`,
    where: address,
    expected: `at most ${withinMs} ms (cleanup.withinMs)`,
    hint: 'Raise the limit where the step is wired, or give it less to do',
    exit: 1,
  };
}

/** A step that the run leaves out lends its newest result to those that read it. */
function outsideSlice(context: RunContext, node: GraphNode): Settled {
  const lent = context.base?.results.get(node.address) ?? context.results.latest(node.address);
  return { ...ended('skipped', 'slice'), artifacts: lent?.artifacts ?? null };
}

async function conditionOf(context: RunContext, { wire, predicate }: NonNullable<GraphNode['when']>): Promise<ConditionOutcome> {
  return predicate(await readJson(referenceAt(context, wire), context.stores.artifacts));
}

async function workOf(context: RunContext, prepared: PreparedNode): Promise<Work> {
  const inputs: Record<string, ArtifactReference> = {};
  for (const [name, wire] of Object.entries(prepared.node.inputs)) inputs[name] = referenceAt(context, wire);
  const digests = digestsOf(inputs);
  const taken = await takenOver(context, prepared, digests);
  const parts = taken ?? (await partsNow(context, prepared, digests));
  return { context, prepared, inputs, parts, key: keyOf(parts), signal: context.signal };
}

async function partsNow(
  { ports }: RunContext,
  prepared: PreparedNode,
  digests: Readonly<Record<string, string>>,
): Promise<FingerprintParts> {
  // An effect's key leaves out the state that it changes: that is compared with what it left behind.
  const observed = prepared.node.kind === 'effect' ? null : await observe(prepared, digests, ports);
  return fingerprint(prepared, digests, observed, ports);
}

/**
 * The parts of a result of the run that this one continues, where nothing but the outside has changed since:
 * a run that is resumed goes on with what it saw, and does not begin again because time has passed.
 */
async function takenOver(
  { base, ports, results }: RunContext,
  prepared: PreparedNode,
  digests: Readonly<Record<string, string>>,
): Promise<FingerprintParts | null> {
  const result = base?.resume === true && prepared.node.kind !== 'effect' ? base.results.get(prepared.node.address) : undefined;
  if (!result || result.parts.observed === null) return null;
  const parts = await fingerprint(prepared, digests, result.parts.observed, ports);
  return keyOf(parts) === result.key && (await results.missingOutput(result)) === null ? parts : null;
}

function referenceAt(context: RunContext, wire: Wire): ArtifactReference {
  return context.settled.get(wire.step)!.artifacts![wire.output]!;
}
