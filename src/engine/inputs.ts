import { readFile } from 'node:fs/promises';
import type { AnyArtifact, ArtifactReference } from '../contracts/artifact.ts';
import { canonicalJson } from '../contracts/digest.ts';
import { linesOf } from '../history/lines.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { AnyStep } from './define.ts';
import { inputsOf } from './step-shape.ts';
import { storeText } from './store-text.ts';
import type { FolderReader, RowReader } from './values.ts';

/** What `run` of a step sees of its inputs, by name. */
export async function openInputs(
  step: AnyStep,
  references: Readonly<Record<string, ArtifactReference>>,
  store: ArtifactStore,
): Promise<Record<string, unknown>> {
  const opened: Record<string, unknown> = {};
  for (const [name, artifact] of Object.entries(inputsOf(step))) opened[name] = await openInput(artifact, references[name]!, store);
  return opened;
}

/** One artifact as code sees it: a value, rows to iterate, a folder. */
export async function openInput(artifact: AnyArtifact, reference: ArtifactReference, store: ArtifactStore): Promise<unknown> {
  switch (artifact.kind) {
    case 'json':
      return readJson(reference, store);
    case 'rows':
      return rowReader(reference, store);
    case 'folder':
      return { digest: reference.digest, path: () => store.localPath('folder', reference.digest) } satisfies FolderReader;
  }
}

/** The value of a JSON artifact, a fresh one each time. */
export async function readJson(reference: ArtifactReference, store: ArtifactStore): Promise<unknown> {
  if (reference.kind === 'json' && reference.inline !== undefined) return structuredClone(reference.inline);
  return JSON.parse(await readFile(await store.localPath('file', reference.digest), 'utf8'));
}

/** A local file or folder of an artifact's content; a JSON value that stands in the journal is put into the store for that. */
export async function inputPath(reference: ArtifactReference, store: ArtifactStore): Promise<string> {
  if (reference.kind === 'folder') return store.localPath('folder', reference.digest);
  if (reference.kind === 'json' && reference.inline !== undefined && !(await store.has('file', reference))) {
    await storeText(store, canonicalJson(reference.inline));
  }
  return store.localPath('file', reference.digest);
}

/** Reads rows again and again, one at a time, in memory that does not grow with their number. */
export function rowReader(reference: ArtifactReference, store: ArtifactStore): RowReader<unknown> {
  const path = () => store.localPath('file', reference.digest);
  return {
    count: reference.kind === 'rows' ? reference.rows : 0,
    digest: reference.digest,
    path,
    async *[Symbol.asyncIterator]() {
      for await (const line of linesOf(await path())) yield JSON.parse(line) as unknown;
    },
  };
}
