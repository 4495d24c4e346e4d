import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { skipWithout } from '../python.ts';
import { hasQdrantEngine, type StartedQdrant, startQdrant } from './qdrant.ts';

/** A Qdrant that tests of a file share, emptied before each. */
export interface SharedQdrant {
  readonly name: string;
  readonly url: string;
  /** Null of a real server: what goes wrong there, only it decides. */
  readonly shim: StartedQdrant | null;
  /** Removes all aliases and collections. */
  empty(): Promise<void>;
}

/** The engine behind our own HTTP, for the tests of one file, at the top of which this is called; null, said loudly, where it is not here. */
export async function qdrantEngine(): Promise<(SharedQdrant & { readonly shim: StartedQdrant }) | null> {
  if (!hasQdrantEngine()) {
    skipWithout('qdrant-edge');
    return null;
  }
  // The engine syncs a lot of small files; memory survives a kill of the process as well as a disk does.
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'twin-qdrant-'));
  const shim = await startQdrant(folder);
  afterAll(async () => {
    await shim.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const emptied = async () => {
    await shim.faults([]);
    await empty(shim.url);
  };
  return { name: 'the engine of Qdrant', url: shim.url, shim, empty: emptied };
}

/** That engine, and the real server that TWIN_TEST_QDRANT_URL names: it must be there for tests alone, and for one file of them, as it is emptied. */
export async function qdrantServers(): Promise<readonly SharedQdrant[]> {
  const [real, engine] = [process.env['TWIN_TEST_QDRANT_URL'], await qdrantEngine()];
  return [...(real ? [{ name: 'a real Qdrant', url: real, shim: null, empty: () => empty(real) }] : []), ...(engine ? [engine] : [])];
}

async function empty(url: string): Promise<void> {
  const get = async (path: string) => ((await (await fetch(`${url}/${path}`)).json()) as { result: Record<string, unknown> }).result;
  const { aliases } = (await get('aliases')) as { aliases: { alias_name: string }[] };
  const actions = aliases.map(({ alias_name }) => ({ delete_alias: { alias_name } }));
  const body = JSON.stringify({ actions });
  await fetch(`${url}/collections/aliases`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const { collections } = (await get('collections')) as { collections: { name: string }[] };
  for (const { name } of collections) await fetch(`${url}/collections/${encodeURIComponent(name)}`, { method: 'DELETE' });
}
