import type { Prediction, PlanEstimate, PlanRows } from '../contracts/plan.ts';
import { canonicalJson, sha256 } from '../contracts/digest.ts';
import { type StepPace } from '../history/paces.ts';
import { linesOf } from '../history/lines.ts';
import type { PortSource } from '../ports/ports.ts';
import type { ArtifactReference } from '../contracts/artifact.ts';
import { type PreparedNode, mapIdentity } from './fingerprint.ts';
import type { Graph } from './graph.ts';
import { openRowCache } from './row-cache.ts';
import type { Stores } from './run-context.ts';

/** Rows that a plan looks up in the row cache; of more, all count as work to be done. */
const rowsLookedUp = 20_000;
const rowsAtOnce = 500;
/** Steps that work at once where nothing else is said. */
const defaultConcurrency = 2;

/** How many rows of a map step's input are in no cache yet. */
export async function rowsToDo(
  prepared: PreparedNode,
  input: ArtifactReference,
  stores: Stores,
  ports: PortSource,
): Promise<PlanRows | null> {
  if (input.kind !== 'rows') return null;
  if (input.rows > rowsLookedUp) return { redo: input.rows, total: input.rows };
  const cache = openRowCache(stores.cache, stores.artifacts, prepared.own.step.name, await mapIdentity(prepared.own, ports));
  let redo = 0;
  let keys: string[] = [];
  const look = async (): Promise<void> => {
    const known = await cache.find(keys);
    redo += known.filter((result) => result === null).length;
    keys = [];
  };
  for await (const line of linesOf(await stores.artifacts.localPath('file', input.digest))) {
    keys.push(sha256(canonicalJson(JSON.parse(line))));
    if (keys.length >= rowsAtOnce) await look();
  }
  await look();
  return { redo, total: input.rows };
}

/** How long a step will take if it runs, as far as earlier runs tell; null where none does. */
export function expectedMs(prediction: Prediction, rows: PlanRows | null, pace: StepPace | undefined): number | null {
  if (prediction.kind === 'hit' || prediction.kind === 'skip') return 0;
  if (!pace) return null;
  return rows && pace.rowMs !== null ? Math.round(rows.redo * pace.rowMs) : pace.medianMs;
}

/** How long the steps that will run take together, and those too of which that is not known yet, so many at once as the run allows. */
export function estimateRun(
  graph: Graph,
  steps: ReadonlyMap<string, { readonly prediction: Prediction; readonly expectedMs: number | null }>,
  concurrency = defaultConcurrency,
): PlanEstimate {
  const together = (counts: (prediction: Prediction) => boolean): number => {
    const free = Array.from({ length: concurrency }, () => 0);
    const ends = new Map<string, number>();
    for (const { address, dependencies } of graph.nodes) {
      const { prediction, expectedMs: own } = steps.get(address)!;
      const ready = dependencies.reduce((latest, dependency) => Math.max(latest, ends.get(dependency) ?? 0), 0);
      if (!counts(prediction) || !own) {
        ends.set(address, ready);
        continue;
      }
      const first = free.indexOf(Math.min(...free));
      const end = Math.max(ready, free[first]!) + own;
      free[first] = end;
      ends.set(address, end);
    }
    return Math.max(0, ...ends.values());
  };
  const runs = (prediction: Prediction): boolean => prediction.kind === 'miss';
  const may = (prediction: Prediction): boolean => runs(prediction) || prediction.kind === 'unknown' || prediction.kind === 'unobserved';
  const unmeasured = [...steps.values()].filter((step) => may(step.prediction) && step.expectedMs === null).length;
  return { leastMs: together(runs), mostMs: together(may), unmeasured };
}
