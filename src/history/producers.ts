import type { ArtifactReference } from '../contracts/artifact.ts';
import type { StepResult } from '../contracts/run.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { producersTable, resultsTable } from './tables.ts';

/** Steps that made one artifact are looked at up to this number. */
const producersAtMost = 100;

/** The results that hold an artifact, newest first. */
export async function producersOf(store: MetadataStore, digest: string): Promise<readonly StepResult[]> {
  const rows = await store.scan(producersTable, `${digest}/`, '', producersAtMost);
  const keys = rows.map((row) => row.key.slice(digest.length + 1));
  const results = (await store.get(resultsTable, keys)).filter((row) => row !== null).map((row) => row.row as unknown as StepResult);
  // An effect may have made something else under the same key since.
  return results.filter((result) => referenceIn(result, digest) !== null).toSorted((left, right) => right.at - left.at);
}

/** The artifact of a digest among those of a result. */
export function referenceIn({ artifacts }: StepResult, digest: string): ArtifactReference | null {
  return Object.values(artifacts).find((made) => made.digest === digest) ?? null;
}
