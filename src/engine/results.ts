import type { StepResult } from '../contracts/run.ts';
import { type LatestResult, latestKey, latestTable, resultsTable } from '../history/tables.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import type { GraphNode } from './graph.ts';

/** Finds the results of earlier runs, and those of this one that may not be on disk yet. */
export interface Results {
  find(key: string): Promise<StepResult | null>;
  /** The newest earlier result of the step at this address. */
  latest(node: GraphNode): StepResult | null;
  /** Earlier results of the same step, at this address or another: what a miss is compared with. */
  earlier(node: GraphNode): Promise<readonly StepResult[]>;
  /** The first output of a result that is gone or has another size; null where all are there. */
  missingOutput(result: StepResult): Promise<string | null>;
  /** Takes a result of this run. */
  add(result: StepResult): void;
}

/** Reads the newest results of all nodes at once, since most of them will be hits. */
export async function openResults(nodes: readonly GraphNode[], store: MetadataStore, artifacts: ArtifactStore): Promise<Results> {
  const latestRows = await store.get(
    latestTable,
    nodes.map((node) => latestKey(node.step.name, node.address)),
  );
  const keys = latestRows.map((row) => (row ? (row.row as unknown as LatestResult).key : null));
  const known = new Map<string, StepResult>();
  const wanted = [...new Set(keys.filter((key) => key !== null))];
  for (const row of await store.get(resultsTable, wanted)) if (row) known.set(row.key, row.row as unknown as StepResult);
  const latestByAddress = new Map(nodes.map((node, index) => [node.address, known.get(keys[index] ?? '')]));

  const find = async (key: string): Promise<StepResult | null> => {
    const result = known.get(key);
    if (result) return result;
    const [row] = await store.get(resultsTable, [key]);
    return row ? (row.row as unknown as StepResult) : null;
  };
  return {
    find,
    latest: (node) => latestByAddress.get(node.address) ?? null,
    async earlier(node) {
      const own = latestByAddress.get(node.address);
      if (own) return [own];
      const rows = await store.scan(latestTable, `${node.step.name}/`, '', 10);
      const results = await Promise.all(rows.map((row) => find((row.row as unknown as LatestResult).key)));
      return results.filter((result) => result !== null);
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
