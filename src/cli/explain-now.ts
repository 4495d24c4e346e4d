import type { DigestParts } from '../contracts/digest-parts.ts';
import type { PredictedStep } from '../contracts/plan.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { FingerprintParts } from '../contracts/run.ts';
import type { StepExplanation, WhyResult } from '../contracts/why.ts';
import { codeHasher } from '../engine/code-hash.ts';
import type { PreparedNode } from '../engine/fingerprint.ts';
import type { GraphNode } from '../engine/graph.ts';
import { digestParts } from '../engine/keep-parts.ts';
import { originsOf } from '../engine/params.ts';
import { planRun } from '../engine/plan.ts';
import { type ExplainSources, explainChanges } from '../history/explain.ts';
import { compareWithEarlier, explainMaking, originIn } from '../history/explain-step.ts';
import type { OpenedPipeline } from './pipeline-run.ts';

interface Explaining {
  readonly pipeline: string;
  readonly sources: ExplainSources;
  /** What each step's key is made of, as far as it is known. */
  readonly parts: ReadonlyMap<string, FingerprintParts>;
}

/** Why a step would do what it would do in a run that begins now; of a step that waits for others, also why those will run. */
export async function explainNow(
  { session, graph, params, overrides }: OpenedPipeline,
  address: string,
  offline: boolean,
): Promise<Result<WhyResult, readonly Problem[]>> {
  const { wired } = session;
  const stores = await wired.stores();
  const hasher = codeHasher(stores.cache);
  const parts = new Map<string, FingerprintParts>();
  const prepared = new Map<string, PreparedNode>();
  const onParts = (step: PreparedNode, of: FingerprintParts): void => {
    parts.set(step.node.address, of);
    prepared.set(step.node.address, step);
  };
  const plan = await planRun({ graph, params, stores, ports: wired.ports, offline, hasher, onParts });
  if (!plan.ok) return plan;

  let fresh: Promise<ReadonlyMap<string, DigestParts>> | undefined;
  const allFresh = async (): Promise<ReadonlyMap<string, DigestParts>> => {
    const found = new Map<string, DigestParts>();
    for (const [step, of] of parts)
      for (const [digest, made] of await digestParts(prepared.get(step)!, of, hasher, wired.ports)) found.set(digest, made);
    return found;
  };
  const origins = originsOf(graph, overrides);
  const sources: ExplainSources = {
    metadata: stores.metadata,
    artifacts: stores.artifacts,
    steps: plan.value.steps,
    fresh: async (digest) => (await (fresh ??= allFresh())).get(digest) ?? null,
    origins: (param) => ({ before: null, after: originIn(origins, param) }),
  };
  const steps = new Map(plan.value.steps.map((step) => [step.address, step]));
  const explaining: Explaining = { pipeline: graph.pipeline, sources, parts };
  const step = steps.get(address)!;
  const explanation = await explain(explaining, step);
  const upstream: StepExplanation[] = [];
  if (step.prediction.kind === 'unknown') {
    const before = ancestorsOf(address, graph.byAddress);
    for (const node of graph.nodes) {
      const { prediction } = steps.get(node.address)!;
      const changed = prediction.kind === 'unknown' && prediction.changes.length > 0;
      const decides = changed || prediction.kind === 'miss' || prediction.kind === 'unobserved';
      if (before.has(node.address) && decides) upstream.push(await explain(explaining, steps.get(node.address)!));
    }
  }
  const made = step.prediction.kind === 'hit' ? await explainMaking(sources, { run: step.prediction.run, address }) : null;
  return { ok: true, value: { type: 'why', pipeline: graph.pipeline, run: null, explanation, upstream, made } };
}

async function explain({ pipeline, sources, parts }: Explaining, { address, prediction }: PredictedStep): Promise<StepExplanation> {
  const bare: StepExplanation = { step: address, outcome: prediction.kind, why: { kind: 'first-time' }, against: null, changes: [] };
  switch (prediction.kind) {
    case 'hit':
      return { ...bare, why: { kind: 'hit', run: prediction.run, at: prediction.at } };
    case 'skip':
      return { ...bare, why: { kind: 'ended', reason: prediction.reason } };
    case 'unobserved':
      return { ...bare, why: { kind: 'unobserved', message: prediction.message } };
    case 'unknown': {
      const changes = await explainChanges(sources, address, prediction.changes);
      return { ...bare, why: { kind: 'unknown', until: prediction.until, made: prediction.made }, changes };
    }
    case 'miss': {
      const { reason } = prediction;
      if (reason.kind !== 'changed' && reason.kind !== 'first-time') return { ...bare, why: reason };
      const own = parts.get(address);
      const compared = own ? await compareWithEarlier(sources, { pipeline, address, parts: own }) : { against: null, changes: [] };
      return { ...bare, ...compared, why: { kind: compared.against ? 'changed' : 'first-time' } };
    }
  }
}

/** Every step that a step waits for, directly or through others. */
function ancestorsOf(address: string, nodes: ReadonlyMap<string, GraphNode>): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...nodes.get(address)!.dependencies];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    waiting.push(...nodes.get(next)!.dependencies);
  }
  return found;
}
