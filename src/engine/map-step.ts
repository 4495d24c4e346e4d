import type { MapStep } from './define.ts';
import { mapIdentity } from './fingerprint.ts';
import { rowReader } from './inputs.ts';
import { mapRows } from './map-rows.ts';
import { openOutputs, type RowsFace } from './outputs.ts';
import { openRowCache } from './row-cache.ts';
import { type Attempt, type Made, openPorts } from './run-context.ts';
import { stepTools } from './step-tools.ts';

/** Rows that are read, looked up and written together. */
const rowsTogether = 128;

/** Maps every row of the input through the row cache, in order, in memory that does not grow with their number. */
export async function runMapStep(step: MapStep, attempt: Attempt): Promise<Made> {
  const { context, prepared, signal } = attempt;
  const { artifacts, cache } = context.stores;
  const { address } = prepared.node;
  const tools = stepTools(attempt);
  let ports: Promise<Record<string, unknown>> | undefined;
  const surroundings = {
    address,
    step,
    params: prepared.own.params,
    cache: openRowCache(cache, artifacts, step.name, await mapIdentity(prepared.own, context.ports)),
    ports: () => (ports ??= openPorts(context.ports, step.needs)),
    signal,
    log: tools.log,
    count: tools.count,
    forced: context.slice.forced.has(address),
  };
  const outputs = await openOutputs(address, { output: step.output }, artifacts);
  const output = outputs.faces['output'] as RowsFace;
  try {
    const input = rowReader(attempt.inputs['input']!, artifacts);
    let done = 0;
    const map = async (rows: readonly unknown[]): Promise<void> => {
      signal.throwIfAborted();
      for (const result of await mapRows(surroundings, rows)) for (const row of result.rows) await output.writeChecked(row);
      tools.progress((done += rows.length), input.count);
    };
    let gathered: unknown[] = [];
    for await (const row of input) {
      gathered.push(row);
      if (gathered.length < rowsTogether) continue;
      await map(gathered);
      gathered = [];
    }
    if (gathered.length > 0) await map(gathered);
    return { artifacts: await outputs.finish(), counts: tools.counts };
  } finally {
    await outputs.discard();
  }
}
