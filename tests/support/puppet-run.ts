import { join } from 'node:path';
import { openFolderArtifactStore } from '../../src/adapters/artifact-store/folder.ts';
import { openSqliteMetadataStore } from '../../src/adapters/metadata-store/sqlite.ts';
import { executeRun } from '../../src/engine/execute.ts';
import { buildGraph } from '../../src/engine/graph.ts';
import { resolveParams } from '../../src/engine/params.ts';
import { currentHolder, isDeadForSure } from '../../src/workers/holder.ts';
import { puppetPipeline } from './puppet-steps.ts';

// Runs the puppet pipeline on the stores of a folder and prints its events, one JSON object a line.
const folder = process.argv[2]!;
const stores = {
  metadata: openSqliteMetadataStore({ file: join(folder, 'state.db') }),
  cache: openSqliteMetadataStore({ file: join(folder, 'cache.db') }),
  artifacts: openFolderArtifactStore({ folder: join(folder, 'artifacts') }),
};
const graph = buildGraph(puppetPipeline);
const params = graph.ok ? resolveParams(graph.value, {}) : graph;
if (!graph.ok || !params.ok) throw new Error('The puppet pipeline is sound');
// A held step alone would not keep the process alive.
const alive = setInterval(() => undefined, 60_000);
await executeRun({
  graph: graph.value,
  params: params.value,
  stores,
  ports: {
    open: () => {
      throw new Error('The puppet pipeline needs no ports');
    },
    identity: async () => null,
  },
  emit: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  signal: new AbortController().signal,
  holder: currentHolder('twin run puppet'),
  isDead: isDeadForSure,
  profile: 'test',
});
clearInterval(alive);
await stores.metadata.close();
await stores.cache.close();
