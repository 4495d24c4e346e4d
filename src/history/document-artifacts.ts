import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ArtifactReference } from '../contracts/artifact.ts';
import type { Json } from '../contracts/digest.ts';
import type { StepResult } from '../contracts/run.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { resultsTable } from './tables.ts';

/** Which documents an artifact's rows name, by its digest: a cache, filled when it is first asked for. */
const documentsTable = 'cache:artifact-documents';
const pageSize = 500;

/** An artifact of rows that were made from a document, and the newest step that made it. */
export interface DocumentArtifact {
  readonly name: string;
  readonly digest: string;
  readonly step: string;
  readonly run: string;
  readonly at: number;
}

/** Where artifacts are looked through. */
export interface DocumentArtifactSources {
  readonly metadata: MetadataStore;
  readonly cache: MetadataStore;
  readonly artifacts: ArtifactStore;
  /** Told how many artifacts were read, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Every stored artifact whose rows name the document as a source, newest first. Each artifact is read once and remembered. */
export async function artifactsOf(sources: DocumentArtifactSources, document: string): Promise<readonly DocumentArtifact[]> {
  const all = [...(await rowArtifacts(sources.metadata)).values()];
  const found: DocumentArtifact[] = [];
  for (const [index, { reference, result }] of all.entries()) {
    const documents = await documentsIn(sources, reference);
    if (documents.includes(document)) {
      const { address, run, at } = result;
      found.push({ name: reference.name, digest: reference.digest, step: address, run, at });
    }
    sources.onProgress?.(index + 1, all.length);
  }
  return found.toSorted((left, right) => right.at - left.at);
}

interface Made {
  readonly reference: ArtifactReference & { readonly kind: 'rows' };
  readonly result: StepResult;
}

/** Artifacts of rows by digest, each with the newest result that names it. */
async function rowArtifacts(store: MetadataStore): Promise<ReadonlyMap<string, Made>> {
  const made = new Map<string, Made>();
  for (let after = ''; ;) {
    const page = await store.scan(resultsTable, '', after, pageSize);
    for (const { row } of page) {
      const result = row as unknown as StepResult;
      for (const reference of Object.values(result.artifacts)) {
        if (reference.kind !== 'rows') continue;
        const known = made.get(reference.digest);
        if (!known || known.result.at < result.at) made.set(reference.digest, { reference, result });
      }
    }
    if (page.length < pageSize) return made;
    after = page.at(-1)!.key;
  }
}

async function documentsIn({ cache, artifacts }: DocumentArtifactSources, reference: Made['reference']): Promise<readonly string[]> {
  const [known] = await cache.get(documentsTable, [reference.digest]);
  if (known) return known.row as readonly string[];
  if (!(await artifacts.has('file', reference))) return [];
  const documents = new Set<string>();
  const lines = createInterface({ input: createReadStream(await artifacts.localPath('file', reference.digest)) });
  for await (const line of lines) for (const document of documentsOf(line)) documents.add(document);
  const row = [...documents].toSorted() as unknown as Json;
  await cache.putMany(documentsTable, [{ key: reference.digest, expectedRevision: null, row }]);
  return [...documents];
}

/** The documents that a row comes from: its sources, or the row itself where it is a document. */
function documentsOf(line: string): readonly string[] {
  const row = JSON.parse(line) as {
    readonly sources?: readonly { readonly document: string }[];
    readonly document?: unknown;
    readonly id?: unknown;
    readonly address?: unknown;
  } | null;
  if (Array.isArray(row?.sources)) return row.sources.map(({ document }: { readonly document: string }) => document);
  return typeof row?.id === 'string' && typeof row.address === 'string' ? [row.id] : [];
}
