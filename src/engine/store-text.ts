import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactStore, StoredContent } from '../ports/artifact-store.ts';

/** Puts a text into the artifact store as a file. */
export async function storeText(store: ArtifactStore, text: string): Promise<StoredContent> {
  const file = join(await store.stage(), 'text');
  await writeFile(file, text);
  const stored = await store.putFile(file);
  await rm(dirname(file), { recursive: true, force: true });
  return stored;
}
