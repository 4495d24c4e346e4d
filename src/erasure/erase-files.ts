import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { holdsTrace, type Trace, tracesInFile } from './traces.ts';

/** Artifacts whose content was erased, by digest: what is known about them stays. */
const erasedTable = 'erased-artifacts';

/** Every regular file below a folder; none where there is no folder. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Removes every artifact that holds a trace, but folders that `spare` names: models, which are listed instead. A step that made one does it anew. */
export async function eraseArtifacts(
  traces: readonly Trace[],
  spare: ReadonlySet<string>,
  { artifacts, metadata }: { readonly artifacts: ArtifactStore; readonly metadata: MetadataStore },
): Promise<readonly string[]> {
  const erased: string[] = [];
  for await (const { kind, digest } of artifacts.list()) {
    if (spare.has(digest)) continue;
    const path = await artifacts.localPath(kind, digest);
    const files = kind === 'file' ? [path] : await filesBelow(path);
    let traced = false;
    for (const file of files) traced ||= (await tracesInFile(file, traces)).size > 0;
    if (!traced) continue;
    const at = await metadata.now();
    await metadata.putMany(erasedTable, [{ key: digest, expectedRevision: null, row: { kind, at } }], 'power');
    await artifacts.remove(kind, digest);
    erased.push(digest);
  }
  return erased;
}

/** Removes files that hold a trace. */
export async function eraseFiles(folder: string, traces: readonly Trace[]): Promise<number> {
  let erased = 0;
  for (const file of await filesBelow(folder)) {
    if ((await tracesInFile(file, traces)).size === 0) continue;
    await rm(file, { force: true });
    erased += 1;
  }
  return erased;
}

/** Takes the lines that hold a trace out of the files of a folder; the rest of each file stays. */
export async function eraseLines(folder: string, traces: readonly Trace[]): Promise<number> {
  let erased = 0;
  for (const file of await filesBelow(folder)) {
    if ((await tracesInFile(file, traces)).size === 0) continue;
    const lines = (await readFile(file, 'utf8')).split('\n');
    const kept = lines.filter((line) => !holdsTrace(line, traces));
    await writeFile(`${file}.erasing`, kept.join('\n'));
    await rename(`${file}.erasing`, file);
    erased += lines.length - kept.length;
  }
  return erased;
}
