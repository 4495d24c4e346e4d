import { cp, link, mkdir, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AnyArtifact, ArtifactReference } from '../contracts/artifact.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ArtifactStore } from '../ports/artifact-store.ts';
import type { JobStep } from './define.ts';
import { linesOf } from '../history/lines.ts';
import { type RowsFace, openOutputs } from './outputs.ts';

/**
 * Stores what a job wrote: JSON and rows are checked against their schemas and made canonical, folders are taken over by hard links.
 * The job's own files stay, so that a crash between here and the journal's commit loses nothing.
 */
export async function storeJobOutputs(
  step: JobStep,
  address: string,
  paths: Readonly<Record<string, string>>,
  store: ArtifactStore,
): Promise<Record<string, ArtifactReference>> {
  const artifacts = step.outputs as Readonly<Record<string, AnyArtifact>>;
  const outputs = await openOutputs(address, artifacts, store);
  try {
    for (const [name, artifact] of Object.entries(artifacts)) {
      const path = paths[name];
      if (path === undefined) throw unreadable(address, name, 'the job did not write it');
      try {
        if (artifact.kind === 'folder') await linkFolder(path, (outputs.faces[name] as { path: string }).path);
        else if (artifact.kind === 'json') await (outputs.faces[name] as RowsFace).write(JSON.parse(await readFile(path, 'utf8')));
        else for await (const line of linesOf(path)) await (outputs.faces[name] as RowsFace).write(JSON.parse(line));
      } catch (error) {
        if (error instanceof ProblemError) throw error;
        throw unreadable(address, name, error instanceof Error ? error.message : String(error));
      }
    }
    return await outputs.finish();
  } finally {
    await outputs.discard();
  }
}

async function linkFolder(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const target = join(to, source.slice(from.length));
    await mkdir(dirname(target), { recursive: true });
    // Another file system, or one without hard links: a copy does as well.
    await link(source, target).catch(() => cp(source, target));
  }
}

function unreadable(address: string, output: string, found: string): ProblemError {
  return new ProblemError({
    reason: 'invalid-output',
    message: `The job of step ${address} left no readable output ${output}`,
    where: address,
    found,
    exit: 1,
  });
}
