import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolderArtifactStore } from '../../../src/adapters/artifact-store/folder.ts';
import { localJobLauncher } from '../../../src/adapters/job-launcher/local.ts';
import { openSqliteMetadataStore } from '../../../src/adapters/metadata-store/sqlite.ts';
import type { RunEvent } from '../../../src/contracts/events/run.ts';
import type { Holder } from '../../../src/contracts/run.ts';
import type { CodeHasher } from '../../../src/engine/code-hash.ts';
import { type RunEnd, type RunRequest, executeRun } from '../../../src/engine/execute.ts';
import { buildGraph } from '../../../src/engine/graph.ts';
import { resolveParams } from '../../../src/engine/params.ts';
import type { Stores } from '../../../src/engine/run-context.ts';
import { currentHolder, isDeadForSure } from '../../../src/workers/holder.ts';
import { runtimeOf } from '../python-runtime.ts';
import { crashPipeline, middle } from './pipeline.ts';
import { type Fate, artifactsWithCrashPoints, launcherWithCrashPoints, withCrashPoints } from './points.ts';

/** Which stores, which world, and how many rows. */
export interface CrashRunOptions {
  readonly folder: string;
  readonly python: string;
  readonly concurrency: number;
  readonly rows: number;
  readonly fate: Fate;
  readonly emit: (event: RunEvent) => void;
  /** Other stores than those of the folder; whoever opened them closes them. */
  readonly stores?: Stores;
  readonly dispatch?: NonNullable<RunRequest['dispatch']>;
  /** Who runs, and who is gone; this process by default. */
  readonly holder?: Holder;
  readonly isDead?: (holder: Holder) => boolean;
}

/** The code of the crash pipeline never changes. */
export const crashHasher: CodeHasher = {
  prime: async () => undefined,
  hash: async () => ({ ok: true, value: 'code' }),
  parts: async () => null,
};

/** A fate of never dying. */
export const immortal: Fate = { reach: () => undefined, isLast: () => false };

/** Opens the stores of a folder. */
export function openCrashStores(folder: string, fate: Fate = immortal) {
  return {
    metadata: withCrashPoints(openSqliteMetadataStore({ file: join(folder, 'state.db') }), 'journal:', fate),
    cache: withCrashPoints(openSqliteMetadataStore({ file: join(folder, 'cache.db') }), 'cache:', fate),
    artifacts: artifactsWithCrashPoints(openFolderArtifactStore({ folder: join(folder, 'artifacts') }), fate),
  };
}

/** Runs the crash pipeline once in this process. */
export async function crashRun({ folder, python, concurrency, rows, fate, emit, ...given }: CrashRunOptions): Promise<RunEnd> {
  const world = join(folder, 'world');
  await mkdir(world, { recursive: true });
  middle.reach = fate.reach;
  const stores = given.stores ?? openCrashStores(folder, fate);
  const overrides = {
    'read.count': { value: rows, origin: 'test' },
    'index.world': { value: world, origin: 'test' },
    'alias.world': { value: world, origin: 'test' },
  };
  const graph = buildGraph(crashPipeline);
  const params = graph.ok ? resolveParams(graph.value, overrides) : graph;
  if (!graph.ok || !params.ok) throw new Error('The crash pipeline is sound');
  const launcher = localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime: runtimeOf(python), leaseSeconds: null });
  try {
    fate.reach('start');
    return await executeRun({
      graph: graph.value,
      params: params.value,
      stores,
      ports: { open: async () => launcherWithCrashPoints(launcher, fate) as never, identity: async () => null },
      emit,
      signal: new AbortController().signal,
      options: { concurrency },
      holder: given.holder ?? currentHolder('twin run crash'),
      isDead: given.isDead ?? isDeadForSure,
      profile: 'test',
      hasher: crashHasher,
      ...(given.dispatch && { dispatch: given.dispatch }),
    });
  } finally {
    if (!given.stores) await Promise.all([stores.metadata.close(), stores.cache.close()]);
  }
}
