import type { FingerprintParts, StepOutcome, StepReason, StepResult } from '../contracts/run.ts';
import type { PreparedNode } from './fingerprint.ts';
import { refusalOf } from './gate.ts';
import type { Made, RunContext, Settled } from './run-context.ts';

/** A step that ended without a result. */
export function ended(outcome: StepOutcome, reason: StepReason, problem: Settled['problem'] = null): Settled {
  return { outcome, reason, artifacts: null, counts: {}, key: null, parts: null, problem, refusal: null };
}

/** A step whose result was made before. */
export async function reused(context: RunContext, prepared: PreparedNode, result: StepResult): Promise<Settled> {
  const { key, artifacts, counts, parts } = result;
  return {
    outcome: 'cached',
    reason: null,
    artifacts,
    counts,
    key,
    parts,
    problem: null,
    refusal: await refusal(context, prepared, result),
  };
}

/** A step that made its result now. */
export async function succeeded(
  context: RunContext,
  prepared: PreparedNode,
  made: Made,
  parts: FingerprintParts,
  key: string,
): Promise<Settled> {
  return { outcome: 'succeeded', reason: null, ...made, key, parts, problem: null, refusal: await refusal(context, prepared, made) };
}

function refusal(
  { options, stores }: RunContext,
  { node }: PreparedNode,
  { artifacts }: Pick<Made, 'artifacts'>,
): Promise<readonly string[] | null> {
  return refusalOf(node.step, artifacts, options.gate ?? 'default', stores.artifacts);
}
