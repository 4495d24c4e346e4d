import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderArtifactStore } from '../../src/adapters/artifact-store/folder.ts';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import type { AnyPipeline } from '../../src/engine/define.ts';
import { executeRun } from '../../src/engine/execute.ts';
import { buildGraph } from '../../src/engine/graph.ts';
import { resolveParams } from '../../src/engine/params.ts';
import { currentHolder, isDeadForSure } from '../../src/workers/holder.ts';

/** Runs a pipeline on new embedded stores; the time from building the graph to run-finished, and of each step, in milliseconds. */
export async function runEmbedded(pipeline: AnyPipeline): Promise<{ readonly total: number; readonly steps: ReadonlyMap<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-engine-'));
  const metadata = openSqliteMetadataStore({ file: join(folder, 'state.db') });
  const cache = openSqliteMetadataStore({ file: join(folder, 'cache.db') });
  const artifacts = openFolderArtifactStore({ folder: join(folder, 'artifacts') });
  const steps = new Map<string, number>();
  try {
    const start = performance.now();
    const graph = buildGraph(pipeline);
    if (!graph.ok) throw new Error(graph.error[0]!.message);
    const params = resolveParams(graph.value, {});
    if (!params.ok) throw new Error(params.error[0]!.message);
    const begun = new Map<string, number>();
    const end = await executeRun({
      graph: graph.value,
      params: params.value,
      stores: { metadata, cache, artifacts },
      ports: { open: () => Promise.reject(new Error('no port is needed')), identity: () => Promise.resolve(null) },
      emit(event: RunEvent) {
        if (event.type === 'step-started') begun.set(event.step, performance.now());
        if (event.type === 'step-finished') steps.set(event.step, performance.now() - (begun.get(event.step) ?? start));
      },
      signal: new AbortController().signal,
      holder: currentHolder('benchmark'),
      isDead: isDeadForSure,
      profile: 'embedded',
    });
    if (end.status !== 'succeeded') throw new Error(`The run ${end.status}: ${end.problem?.message}`);
    return { total: performance.now() - start, steps };
  } finally {
    await Promise.all([metadata.close(), cache.close(), artifacts.close()]);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Milliseconds of one append that is on disk before it returns: the floor of whatever guards an effect. */
export async function timeDurableAppend(count: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'twin-append-'));
  const store = openSqliteMetadataStore({ file: join(folder, 'state.db') });
  try {
    await store.append('floor', 0, [{ first: true }], 'power');
    const start = performance.now();
    for (let at = 1; at <= count; at += 1) await store.append('floor', at, [{ at }], 'power');
    return (performance.now() - start) / count;
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}
