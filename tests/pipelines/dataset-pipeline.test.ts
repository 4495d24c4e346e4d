import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteDocumentStore } from '../../src/adapters/document-store/sqlite.ts';
import { DatasetCard } from '../../src/contracts/dataset.ts';
import type { DocumentStore } from '../../src/ports/document-store.ts';
import { latestDataset, listDatasets } from '../../src/registry/datasets.ts';
import { datasetPipeline } from '../../pipelines/dataset-pipeline.ts';
import { exampleDocument } from '../support/documents.ts';
import { engineRig } from '../support/engine-rig.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';
import { scriptedChatModel, scriptedChatModels } from '../support/scripted-chat-model.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** An article with three sections of prose, in words that no other article has. */
function article(id: string, opening = 'says') {
  const section = (part: string) =>
    `## ${part} of ${id}\n\n${Array.from({ length: 18 }, (_, index) => `${part}${index}of${id}`).join(' ')} ${opening} what ${part} of ${id} is about.`;
  return exampleDocument(id, { title: id, content: ['Purpose', 'Method', 'Outcome'].map(section).join('\n\n') });
}

async function rigWith(documents: readonly ReturnType<typeof article>[]) {
  const documentStore: DocumentStore = openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') });
  onTestFinished(() => documentStore.close());
  await documentStore.put(documents);
  const metadata = memoryMetadataStore();
  const ports = { documentStore, metadataStore: metadata, chatModels: scriptedChatModels(scriptedChatModel()) };
  return { documentStore, metadata, ...(await engineRig({ ports, stores: { metadata } })) };
}

const articles = Array.from({ length: 30 }, (_, index) => article(`article-${index}`));

test('makes a registered dataset with its card, once, and only the edited document anew', async () => {
  const rig = await rigWith(articles);
  const first = await rig.run(datasetPipeline);
  expect(first.end).toMatchObject({ status: 'succeeded', steps: { succeeded: 9 } });
  const dataset = (await latestDataset(rig.metadata, 'instructions'))!;
  const { train, validation, test: held } = dataset.splits;
  expect(train.count + validation.count + held.count).toBe(90);
  const card = first.finished('write-card').artifacts['card'];
  expect(card).toMatchObject({ digest: dataset.card });
  const { counts, dropped, gate } = DatasetCard.parse((card as { inline: unknown }).inline);
  expect(counts).toEqual({ train: train.count, validation: validation.count, test: held.count });
  expect(dropped).toEqual({ generate: {}, deduplicate: {}, decontaminate: {} });
  expect(gate.reasons).toEqual(['90 samples passed 11 checks']);

  const second = await rig.run(datasetPipeline);
  expect(second.end).toMatchObject({ status: 'succeeded', steps: { succeeded: 0, cached: 9 } });

  await rig.documentStore.put([article('article-3', 'tells')]);
  const third = await rig.run(datasetPipeline);
  expect(third.end.status).toBe('succeeded');
  expect(third.finished('generate-instructions').counts).toMatchObject({ 'rows computed': 1, 'rows reused': 29 });
  expect(await listDatasets(rig.metadata, 'instructions')).toHaveLength(2);
});

test('refuses too small a set with its reasons, and registers nothing', async () => {
  const rig = await rigWith(articles.slice(0, 2));
  const { end, outcomes } = await rig.run(datasetPipeline);
  expect(end.status).toBe('refused');
  expect(outcomes).toMatchObject({
    'gate-dataset': 'succeeded',
    'write-card': 'skipped gate-refused',
    'register-dataset': 'skipped gate-refused',
  });
  expect(await latestDataset(rig.metadata, 'instructions')).toBeNull();
});

test('an empty source is refused as too small a set, not as a failure', async () => {
  const { end } = await (await rigWith([])).run(datasetPipeline);
  expect(end.status).toBe('refused');
});
