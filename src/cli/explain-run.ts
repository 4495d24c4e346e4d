import type { RunView } from '../contracts/run-view.ts';
import type { WhyResult } from '../contracts/why.ts';
import type { ExplainSources } from '../history/explain.ts';
import { explainMaking, explainStep, resultOf } from '../history/explain-step.ts';

/** Why a step of a run did what it did; of a hit, also why the run that made the result did so. */
export async function explainRun(sources: ExplainSources, view: RunView, address: string): Promise<WhyResult> {
  const step = view.steps.find((one) => one.address === address)!;
  const explanation = await explainStep(sources, view, step);
  const result = step.state === 'cached' && step.key !== null ? await resultOf(sources, step.key) : null;
  const made = result && (await explainMaking(sources, result));
  return { type: 'why', pipeline: view.pipeline, run: view.run, explanation, upstream: [], made };
}
