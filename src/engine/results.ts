import type { Json } from '../contracts/digest.ts';
import type { StepResult } from '../contracts/run.ts';
import { latestElsewhere } from '../history/earlier-results.ts';
import { type LatestKeys, latestTable, resultsTable } from '../history/tables.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore, TableRow } from '../ports/metadata-store.ts';
import type { Graph, GraphNode } from './graph.ts';

/** Finds the results of earlier runs, and those of this one that may not be on disk yet. */
export interface Results {
  /** Keys of the newest results of this pipeline by address. */
  readonly latestKeys: LatestKeys;
  find(key: string): Promise<StepResult | null>;
  /** The newest earlier result at this address of this pipeline. */
  latest(address: string): StepResult | null;
  /** Earlier results of the same step, here or in another pipeline: what a miss is compared with. */
  earlier(node: GraphNode): Promise<readonly StepResult[]>;
  /** The first output of a result that is gone or has another size; null where all are there. */
  missingOutput(result: StepResult): Promise<string | null>;
  /** Takes a result of this run. */
  add(result: StepResult): void;
}

/** Reads the newest results of all nodes at once, since most of them will be hits. */
export async function openResults({ pipeline, nodes }: Graph, store: MetadataStore, artifacts: ArtifactStore): Promise<Results> {
  const [row] = await store.get(latestTable, [pipeline]);
  const latestKeys = keysIn(row);
  const known = new Map<string, StepResult>();
  const wanted = [...new Set(nodes.map((node) => latestKeys[node.address]).filter((key) => key !== undefined))];
  for (const found of await store.get(resultsTable, wanted)) {
    const result = found && usable(resultIn(found.row));
    if (result) known.set(result.key, result);
  }

  const find = async (key: string): Promise<StepResult | null> => {
    const result = known.get(key);
    if (result) return result;
    const [found] = await store.get(resultsTable, [key]);
    return found ? usable(resultIn(found.row)) : null;
  };
  const latest = (address: string): StepResult | null => known.get(latestKeys[address] ?? '') ?? null;
  return {
    latestKeys,
    find,
    latest,
    async earlier({ address, step }) {
      const own = latest(address);
      // The same step may have run as part of another pipeline.
      return own ? [own] : latestElsewhere(store, { address, step: step.name });
    },
    async missingOutput(result) {
      for (const [name, reference] of Object.entries(result.artifacts)) {
        if (reference.kind === 'json' && reference.inline !== undefined) continue;
        if (!(await artifacts.has(reference.kind === 'folder' ? 'folder' : 'file', reference))) return name;
      }
      return null;
    },
    add: (result) => void known.set(result.key, result),
  };
}

function keysIn(row: TableRow | null | undefined): LatestKeys {
  return (row?.row ?? {}) as LatestKeys;
}

/** A result that may still be hit: of one that was collected, only the row is left. */
function usable(result: StepResult): StepResult | null {
  return result.collected === true ? null : result;
}

function resultIn(row: Json): StepResult {
  return row as unknown as StepResult;
}
