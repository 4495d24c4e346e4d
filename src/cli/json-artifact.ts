import { readFile } from 'node:fs/promises';
import type { ArtifactReference } from '../contracts/artifact.ts';
import type { StepResult } from '../contracts/run.ts';
import { producersTable, resultsTable } from '../history/tables.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** Where artifacts and word of them are found. */
export interface ArtifactSources {
  readonly metadata: MetadataStore;
  readonly artifacts: ArtifactStore;
}

/** The value of a JSON artifact by its digest, null where it is gone. Small ones stand in the result of the step that made them. */
export async function jsonByDigest({ metadata, artifacts }: ArtifactSources, digest: string): Promise<unknown> {
  const producers = await metadata.scan(producersTable, `${digest}/`, '', 100);
  const rows = await metadata.get(
    resultsTable,
    producers.map(({ key }) => key.slice(digest.length + 1)),
  );
  const results = rows.filter((row) => row !== null).map(({ row }) => row as unknown as StepResult);
  // An effect may have made something else under the same key since.
  const reference = results.flatMap((result) => Object.values(result.artifacts)).find((artifact) => artifact.digest === digest);
  return reference === undefined ? null : await jsonValue(artifacts, reference);
}

/** The value of a JSON artifact, null where its file is gone. */
export async function jsonValue(artifacts: ArtifactStore, reference: ArtifactReference): Promise<unknown> {
  if (reference.kind !== 'json') return null;
  if (reference.inline !== undefined) return reference.inline;
  try {
    return JSON.parse(await readFile(await artifacts.localPath('file', reference.digest), 'utf8')) as unknown;
  } catch {
    return null;
  }
}
