import { readFile } from 'node:fs/promises';
import type { ArtifactReference } from '../contracts/artifact.ts';
import { producersOf, referenceIn } from '../history/producers.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';

/** Where artifacts and word of them are found. */
export interface ArtifactSources {
  readonly metadata: MetadataStore;
  readonly artifacts: ArtifactStore;
}

/** The value of a JSON artifact by its digest, null where it is gone. Small ones stand in the result of the step that made them. */
export async function jsonByDigest({ metadata, artifacts }: ArtifactSources, digest: string): Promise<unknown> {
  const [result] = await producersOf(metadata, digest);
  const reference = result && referenceIn(result, digest);
  return !reference ? null : await jsonValue(artifacts, reference);
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
