import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderArtifactStore } from '../src/adapters/artifact-store/folder.ts';
import { openSqliteMetadataStore } from '../src/adapters/metadata-store/sqlite.ts';
import { definePipeline } from '../src/engine/define.ts';
import { executeRun } from '../src/engine/execute.ts';
import { buildGraph } from '../src/engine/graph.ts';
import { resolveParams } from '../src/engine/params.ts';
import { currentHolder, isDeadForSure } from '../src/workers/holder.ts';
import { first, next } from './chain-steps.ts';

/** Milliseconds from building the graph to run-finished. */
export interface ChainTimes {
  readonly cold: number;
  readonly cached: number;
}

/** Runs a chain of pure no-op steps on new embedded stores, then again with every step cached. */
export async function timeChain(length: number): Promise<ChainTimes> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-chain-'));
  const metadata = openSqliteMetadataStore({ file: join(folder, 'state.db') });
  const cache = openSqliteMetadataStore({ file: join(folder, 'cache.db') });
  const artifacts = openFolderArtifactStore({ folder: join(folder, 'artifacts') });
  const pipeline = definePipeline({
    name: 'chain',
    summary: 'A chain of no-op steps',
    build(builder) {
      let last = builder.step(first, {});
      for (let link = 1; link < length; link += 1) last = builder.step(next, { at: last.at }, { as: `next-${link}` });
    },
  });
  const once = async (): Promise<number> => {
    const start = performance.now();
    const graph = buildGraph(pipeline);
    if (!graph.ok) throw new Error(graph.error[0]!.message);
    const params = resolveParams(graph.value, {});
    if (!params.ok) throw new Error(params.error[0]!.message);
    const end = await executeRun({
      graph: graph.value,
      params: params.value,
      stores: { metadata, cache, artifacts },
      ports: { open: () => Promise.reject(new Error('no port is needed')), identity: () => Promise.resolve(null) },
      emit: () => undefined,
      signal: new AbortController().signal,
      holder: currentHolder('benchmark'),
      isDead: isDeadForSure,
      profile: 'embedded',
    });
    if (end.status !== 'succeeded') throw new Error(`The chain ${end.status}: ${end.problem?.message}`);
    return performance.now() - start;
  };
  try {
    const cold = await once();
    return { cold, cached: await once() };
  } finally {
    await metadata.close();
    await cache.close();
    await artifacts.close();
    await rm(folder, { recursive: true, force: true });
  }
}
