import type { ArtifactReference } from '../contracts/artifact.ts';
import type { LineageStep, LineageView } from '../contracts/run-view.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { linesOf } from './lines.ts';
import { producersOf } from './producers.ts';

/** Where the past is looked up. */
export interface LineageSources {
  readonly metadata: MetadataStore;
  readonly artifacts: ArtifactStore;
}

/** A document at the revision that was used. */
type Source = LineageView['documents'][number];

/**
 * The past of an artifact: the steps that made it and what it was made from, nearest first, back to the documents.
 * Documents are those that the nearest rows on each path name as their sources.
 */
export async function lineage({ metadata, artifacts }: LineageSources, artifact: string): Promise<LineageView> {
  const steps: LineageStep[] = [];
  const documents = new Map<string, Source>();
  const seen = new Set<string>();
  let front: readonly Wanted[] = [{ digest: artifact, documentsKnown: false }];
  for (let distance = 0; front.length > 0; distance++) {
    const next: Wanted[] = [];
    for (const { digest, documentsKnown } of front) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      // The first that had it made it: steps that open what is stored already (a dataset, a version) hold it later.
      const result = (await producersOf(metadata, digest)).at(-1);
      if (!result) continue;
      const { key, step, address, run, at, parts } = result;
      if (!steps.some((known) => known.key === key))
        steps.push({ key, step, address, run, at, parts, artifacts: result.artifacts, distance });
      const reference = Object.values(result.artifacts).find((made) => made.digest === digest);
      const found = reference && !documentsKnown ? await sourcesIn(reference, artifacts) : [];
      for (const source of found) documents.set(`${source.document} ${source.revision}`, source);
      for (const input of Object.values(parts.inputs)) next.push({ digest: input, documentsKnown: documentsKnown || found.length > 0 });
    }
    front = next;
  }
  const byName = (left: Source, right: Source): number => (left.document < right.document ? -1 : left.document > right.document ? 1 : 0);
  return { artifact, steps, documents: [...documents.values()].toSorted(byName) };
}

interface Wanted {
  readonly digest: string;
  /** Rows nearer to the artifact have named their documents already. */
  readonly documentsKnown: boolean;
}

/** The documents that rows say they come from; none where they say nothing. */
async function sourcesIn(reference: ArtifactReference, artifacts: ArtifactStore): Promise<readonly Source[]> {
  if (reference.kind !== 'rows' || !(await artifacts.has('file', reference))) return [];
  const sources = new Map<string, Source>();
  for await (const line of linesOf(await artifacts.localPath('file', reference.digest))) {
    const named = (JSON.parse(line) as { sources?: readonly Source[] } | null)?.sources;
    if (!Array.isArray(named)) break;
    for (const { document, revision } of named as readonly Source[]) sources.set(`${document} ${revision}`, { document, revision });
  }
  return [...sources.values()];
}
