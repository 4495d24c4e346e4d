import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteDocumentStore } from '../../../src/adapters/document-store/sqlite.ts';
import { revisionOf } from '../../../src/contracts/document.ts';
import type { DocumentStore } from '../../../src/ports/document-store.ts';
import { snapshotDocuments } from '../../../steps/dataset/snapshot-documents.ts';
import { exampleDocument } from '../../support/documents.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';
import { memoryMetadataStore } from '../../support/memory-metadata-store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

async function storeWith(...ids: readonly string[]): Promise<DocumentStore> {
  const store = openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') });
  onTestFinished(() => store.close());
  await store.put(ids.map((id) => exampleDocument(id)));
  return store;
}

test('takes the documents sorted by id, without those that vanished or belong to another tenant', async () => {
  const documentStore = await storeWith('c', 'a', 'b');
  await documentStore.put([exampleDocument('d', { tenant: 'other' })]);
  await documentStore.mark([{ tenant: 'default', id: 'b' }], true);
  const { outputs, counts } = await runStep(snapshotDocuments, { ports: { documentStore, metadataStore: memoryMetadataStore() } });
  expect(outputs['documents']).toEqual(
    ['a', 'c'].map((id) => Object.assign(exampleDocument(id), { revision: revisionOf(exampleDocument(id)) })),
  );
  expect(counts).toEqual({ vanished: 1 });
});

test('takes more documents than one page holds', async () => {
  const documentStore = await storeWith(...Array.from({ length: 450 }, (_, index) => String(index).padStart(3, '0')));
  const { outputs } = await runStep(snapshotDocuments, { ports: { documentStore, metadataStore: memoryMetadataStore() } });
  expect(outputs['documents']).toHaveLength(450);
});

test('observes the store and its version, which a write changes and a read does not', async () => {
  const documentStore = await storeWith('a');
  const ports = { documentStore, metadataStore: memoryMetadataStore() };
  const token = await observeStep(snapshotDocuments, { ports });
  await runStep(snapshotDocuments, { ports });
  expect(await observeStep(snapshotDocuments, { ports })).toBe(token);
  await documentStore.put([exampleDocument('a', { content: 'edited' })]);
  expect(await observeStep(snapshotDocuments, { ports })).not.toBe(token);
});

test('refuses to mix two versions of the source', async () => {
  const documentStore = await storeWith('a', 'b');
  const changing: DocumentStore = {
    ...documentStore,
    version: () => documentStore.version(),
    async scan(options) {
      const page = await documentStore.scan(options);
      await documentStore.put([exampleDocument('a', { content: 'edited meanwhile' })]);
      return page;
    },
  };
  await expect(
    runStep(snapshotDocuments, { ports: { documentStore: changing, metadataStore: memoryMetadataStore() } }),
  ).rejects.toMatchObject({
    problem: { reason: 'source-changed' },
  });
});
