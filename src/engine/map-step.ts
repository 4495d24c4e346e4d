import { ProblemError } from '../contracts/problem.ts';
import type { MapStep } from './define.ts';
import { openFailedRows } from './failed-rows.ts';
import { mapIdentity } from './fingerprint.ts';
import { rowReader } from './inputs.ts';
import { type RowGroup, mapRows } from './map-rows.ts';
import { openOutputs, type RowsFace } from './outputs.ts';
import { openRowCache } from './row-cache.ts';
import { type Attempt, type Made, openPorts } from './run-context.ts';
import { type StepTools, stepTools } from './step-tools.ts';

/** Rows that are read, looked up and written together. */
const rowsTogether = 128;

/** What mapping rows of a step needs, whoever drives it: a run on its own host, or a worker that does a part of the rows. */
export async function mapSurroundings(step: MapStep, attempt: Attempt, tools: StepTools, tolerant: boolean) {
  const { context, prepared, signal, beat, throttle } = attempt;
  const { artifacts, cache } = context.stores;
  const { address } = prepared.node;
  let ports: Promise<Record<string, unknown>> | undefined;
  return {
    address,
    step,
    params: prepared.own.params,
    cache: openRowCache(cache, artifacts, step.name, await mapIdentity(prepared.own, context.ports)),
    ports: () => (ports ??= openPorts(context.ports, step.needs)),
    signal,
    beat,
    throttle,
    log: tools.log,
    count: tools.count,
    forced: context.slice.forced.has(address),
    tolerant,
  };
}

/** Maps every row of the input, or every group of them, through the row cache, in order, in memory that does not grow with their number. */
export async function runMapStep(step: MapStep, attempt: Attempt): Promise<Made> {
  const { context, prepared, signal } = attempt;
  const { artifacts } = context.stores;
  const { address } = prepared.node;
  const { params } = prepared.own;
  const tools = stepTools(attempt);
  const input = rowReader(attempt.inputs['input']!, artifacts);
  const share = (step.tolerate as ((params: unknown) => number) | undefined)?.(params);
  const failures = share === undefined ? null : await openFailedRows(address, { share, count: input.count, store: artifacts });
  const surroundings = await mapSurroundings(step, attempt, tools, failures !== null);
  const outputs = await openOutputs(address, { output: step.output }, artifacts);
  const output = outputs.faces['output'] as RowsFace;
  try {
    let done = 0;
    const map = async (units: readonly unknown[], rows: number): Promise<void> => {
      signal.throwIfAborted();
      for (const [index, result] of (await mapRows(surroundings, units)).entries()) {
        if (result.failed) for (const row of rowsOf(step, units[index])) await failures!.add(row, result.failed);
        for (const row of result.rows) await output.writeChecked(row);
      }
      tools.progress((done += rows), input.count);
    };
    let gathered: unknown[] = [];
    let rows = 0;
    for await (const unit of step.groupBy ? groupsOf(step, params, input, address) : input) {
      gathered.push(unit);
      rows += rowsOf(step, unit).length;
      if (rows < rowsTogether) continue;
      await map(gathered, rows);
      gathered = [];
      rows = 0;
    }
    if (gathered.length > 0) await map(gathered, rows);
    const failed = (await failures?.finish()) ?? {};
    return { artifacts: { ...(await outputs.finish()), ...failed }, counts: tools.counts, partial: Object.keys(failed).length > 0 };
  } finally {
    await outputs.discard();
    await failures?.discard();
  }
}

function rowsOf(step: MapStep, unit: unknown): readonly unknown[] {
  return step.groupBy ? (unit as RowGroup).rows : [unit];
}

/** Rows that follow one another and have the same group; a group that comes back is refused, since memory shall not grow with the rows. */
async function* groupsOf(step: MapStep, params: unknown, rows: AsyncIterable<unknown>, address: string): AsyncGenerator<RowGroup> {
  const groupBy = step.groupBy as unknown as (row: unknown, params: unknown) => string;
  const ended = new Set<string>();
  let current = null as { readonly group: string; readonly rows: unknown[] } | null;
  for await (const row of rows) {
    const group = groupBy(row, params);
    if (current?.group === group) {
      current.rows.push(row);
      continue;
    }
    if (current) {
      ended.add(current.group);
      yield current;
    }
    if (ended.has(group)) throw splitGroup(address, group);
    current = { group, rows: [row] };
  }
  if (current) yield current;
}

function splitGroup(address: string, group: string): ProblemError {
  return new ProblemError({
    reason: 'group-split',
    message: `The rows of group ${group} do not follow one another in the input of step ${address}`,
    where: address,
    expected: 'the rows of each group together',
    found: `rows of other groups between those of ${group}`,
    hint: 'Sort the rows by their group in the step that writes them',
    exit: 1,
  });
}
