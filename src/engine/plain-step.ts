import type { Step } from './define.ts';
import { drivenRows } from './driven-rows.ts';
import { openInputs } from './inputs.ts';
import { openOutputs } from './outputs.ts';
import { type Attempt, type Made, digestsOf, openPorts } from './run-context.ts';
import { stepTools } from './step-tools.ts';

/** Runs the code of a step on its inputs and stores what it wrote. */
export async function runPlainStep(step: Step, attempt: Attempt): Promise<Made> {
  const { context, prepared, signal } = attempt;
  const { artifacts } = context.stores;
  const { address } = prepared.node;
  const tools = stepTools(attempt);
  const outputs = await openOutputs(address, step.outputs, artifacts, attempt.beat);
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
      rows: await drivenRows(prepared, {
        ...context,
        signal,
        beat: attempt.beat,
        throttle: attempt.throttle,
        log: tools.log,
        count: tools.count,
      }),
      run: context.run,
      forced: context.slice.forced.has(address),
    } as never);
    signal.throwIfAborted();
    return { artifacts: await outputs.finish(), counts: tools.counts };
  } finally {
    await outputs.discard();
  }
}
