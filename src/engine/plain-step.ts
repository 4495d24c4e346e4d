import type { Step } from './define.ts';
import { mapIdentity } from './fingerprint.ts';
import { openInputs } from './inputs.ts';
import { type MapSurroundings, rowByRow } from './map-rows.ts';
import { openOutputs } from './outputs.ts';
import { openRowCache } from './row-cache.ts';
import { type Attempt, type Made, digestsOf, openPorts } from './run-context.ts';
import { type StepTools, stepTools } from './step-tools.ts';

/** Runs the code of a step on its inputs and stores what it wrote. */
export async function runPlainStep(step: Step, attempt: Attempt): Promise<Made> {
  const { context, prepared, signal } = attempt;
  const { artifacts } = context.stores;
  const { address } = prepared.node;
  const tools = stepTools(attempt);
  const outputs = await openOutputs(address, step.outputs, artifacts);
  try {
    await step.run({
      params: prepared.own.params,
      inputs: await openInputs(step, attempt.inputs, artifacts),
      inputDigests: digestsOf(attempt.inputs),
      outputs: outputs.faces,
      ports: await openPorts(context.ports, step.needs),
      signal,
      count: tools.count,
      log: tools.log,
      progress: tools.progress,
      rows: await drivenRows(attempt, tools),
      run: context.run,
      forced: context.slice.forced.has(address),
    } as never);
    signal.throwIfAborted();
    return { artifacts: await outputs.finish(), counts: tools.counts };
  } finally {
    await outputs.discard();
  }
}

/** The step's own map steps, each through its row cache. */
async function drivenRows({ context, prepared, signal }: Attempt, tools: StepTools): Promise<Record<string, unknown>> {
  const driven: Record<string, unknown> = {};
  for (const [key, parts] of Object.entries(prepared.driven)) {
    if (parts.step.kind !== 'map') continue;
    const step = parts.step as MapSurroundings['step'];
    const identity = await mapIdentity(parts, context.ports);
    let ports: Promise<Record<string, unknown>> | undefined;
    const mapRow = rowByRow({
      address: `${prepared.node.address}.${step.name}`,
      step,
      params: parts.params,
      cache: openRowCache(context.stores.cache, context.stores.artifacts, step.name, identity),
      ports: () => (ports ??= openPorts(context.ports, step.needs)),
      signal,
      log: tools.log,
      count: (name, amount) => tools.count(`${key}: ${name}`, amount),
      forced: false,
    });
    driven[key] = Object.assign(mapRow, { identity });
  }
  return driven;
}
