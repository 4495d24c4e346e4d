import { relative } from 'node:path';
import { compactSqlite } from '../clients/sqlite-compact.ts';
import type { StoredDocument } from '../contracts/document.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { Forgotten } from '../contracts/results.ts';
import type { Holder } from '../contracts/run.ts';
import { rowTablesTable } from '../engine/row-cache.ts';
import { eraseFromCaches } from '../erasure/erase-caches.ts';
import { eraseArtifacts, eraseFiles, eraseLines, filesBelow } from '../erasure/erase-files.ts';
import { eraseFromIndexes } from '../erasure/erase-index.ts';
import { type Erasure, tracesIn } from '../erasure/erasure.ts';
import { tracesInFile } from '../erasure/traces.ts';
import { artifactsOf } from '../history/document-artifacts.ts';
import { openRunsTable } from '../history/tables.ts';
import { begunGenerations } from '../index-sync/cursor.ts';
import { listGenerations } from '../index-sync/generations.ts';
import { Ledger } from '../index-sync/ledger.ts';
import { datasetReference, listDatasets } from '../registry/datasets.ts';
import { listModels, modelReference } from '../registry/models.ts';
import { trainedOn } from '../registry/trained-on.ts';
import { isDeadForSure } from '../workers/holder.ts';
import type { CommandContext } from './context.ts';
import { holdTarget } from './hold-target.ts';
import type { Session } from './session.ts';

/** What was made of documents, before any of it goes. */
export async function toErase(
  { wired }: Session,
  documents: readonly StoredDocument[],
): Promise<{
  readonly points: number;
  readonly artifacts: number;
  readonly datasets: readonly string[];
  readonly models: readonly string[];
}> {
  const stores = await wired.stores();
  const digests = new Set<string>();
  for (const { id } of documents) for (const { digest } of await artifactsOf(stores, id)) digests.add(digest);
  const datasets = (await listDatasets(stores.metadata)).filter(({ splits }) =>
    Object.values(splits).some(({ artifact }) => digests.has(artifact)),
  );
  const models = trainedOn(await listModels(stores.metadata), digests);
  let points = 0;
  for (const generation of await begunGenerations(stores.metadata))
    for (const { entry } of await new Ledger(stores.metadata, generation).get(documents)) points += entry?.points.length ?? 0;
  return {
    points,
    artifacts: digests.size,
    datasets: [...new Set(datasets.map(datasetReference))],
    models: [...new Set(models.map(({ model }) => modelReference(model)))],
  };
}

/** Takes hold of the documents and every index, and refuses while a run could still write what is to go. */
export async function refuseWhileRunning(context: CommandContext, { wired, config }: Session, noWait: boolean): Promise<void> {
  const journal = await wired.journal();
  const indexes = new Set([config.index, ...(await listGenerations(journal)).map(({ index }) => index)]);
  for (const target of ['documents', ...[...indexes].toSorted().map((index) => `index:${index}`)])
    await holdTarget(context, journal, target, noWait);
  for (const { key, row } of await journal.scan(openRunsTable, '', '', 1000)) {
    const { holder } = row as unknown as { readonly holder: Holder };
    if (isDeadForSure(holder)) continue;
    throw new ProblemError({
      reason: 'run-active',
      message: `The run ${key} is under way and may write what is to be erased`,
      where: key,
      found: `${holder.command} (process ${holder.pid} on ${holder.host})`,
      hint: 'Wait for its end, or stop it. Nothing was erased.',
      exit: 1,
    });
  }
}

/** Erases from every place, then searches all files of the state for what is left. Each part can be done again. */
export async function eraseEverywhere(
  context: CommandContext,
  { wired }: Session,
  erasure: Erasure,
  over: () => Promise<void>,
): Promise<Pick<Forgotten, 'erased' | 'searched' | 'remains'>> {
  const { state, ports } = wired;
  const { metadata, cache, artifacts } = await wired.stores();
  const [documentStore, vectorIndex, embedder] = [
    await ports.open('documentStore'),
    await ports.open('vectorIndex'),
    await ports.open('embedder'),
  ];
  const traces = tracesIn(erasure);
  const generations = await listGenerations(metadata);
  const embedders = [embedder, ...generations.map(({ embedder: identity, dimension }) => ({ identity, dimension }))];
  const rowTables = (await cache.scan(rowTablesTable, '', '', 10_000)).map(({ key }) => key);
  const models = await listModels(metadata);

  context.progress('Erasing from the index and the caches');
  const points = await eraseFromIndexes(erasure.keys, { metadataStore: metadata, vectorIndex });
  const cached = await eraseFromCaches([...rowTables, 'cache:artifact-documents'], traces, distinct(embedders), cache);
  context.progress('Searching every artifact');
  const spared = new Set(models.flatMap(({ weights, adapter }) => [weights, adapter]).filter((digest) => digest !== null));
  const erasedArtifacts = await eraseArtifacts(traces, spared, { artifacts, metadata });
  const logLines = await eraseLines(state.logs, traces);
  const files = (await eraseFiles(state.jobs, traces)) + (await eraseFiles(`${state.root}/reports`, traces));
  // Last: as long as it is there, the next try finds it by itself.
  const documents = await documentStore.delete(erasure.keys);
  await over();

  context.progress('Writing the databases anew, and searching them');
  for (const file of [state.documents, state.index, state.cache, state.journal]) await compactSqlite(file);
  const remains: Forgotten['remains'] = [];
  const all = await filesBelow(state.root);
  for (const file of all) {
    const left = await tracesInFile(file, traces);
    if (left.size > 0) remains.push({ file: relative(state.root, file), traces: [...left].toSorted() });
  }
  const erased = {
    documents,
    points,
    artifacts: erasedArtifacts.length,
    cachedRows: cached.rows,
    embeddings: cached.embeddings,
    logLines,
    files,
  };
  return { erased, searched: all.length, remains };
}

function distinct<Embedder extends { readonly identity: string }>(embedders: readonly Embedder[]): readonly Embedder[] {
  return [...new Map(embedders.map((embedder) => [embedder.identity, embedder])).values()];
}
