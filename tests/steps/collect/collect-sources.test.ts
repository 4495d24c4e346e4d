import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteDocumentStore } from '../../../src/adapters/document-store/sqlite.ts';
import { collectSources } from '../../../steps/collect/collect-sources.ts';
import { metadataStore } from '../../support/registry-fixture.ts';
import { observeStep, runStep } from '../../support/step-rig.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

test('collects sources, counts them, and says what was left out', async () => {
  const folder = await temporaryFolder();
  const documentStore = openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') });
  onTestFinished(() => documentStore.close());
  await writeFile(join(folder, 'a.md'), 'A');
  await writeFile(join(folder, 'b.jsonl'), '{"link": "b", "text": "B"}\nbroken\n');
  const given = { params: { sources: [folder] }, ports: { documentStore, metadataStore: await metadataStore() } };
  const { outputs, counts, logs } = await runStep(collectSources, given);
  expect(outputs['collection']).toMatchObject({ documents: 2, inserted: 2, rejected: 1 });
  expect(counts).toMatchObject({ documents: 2, inserted: 2, rejected: 1, vanished: 0 });
  expect(logs).toEqual([
    `The record at file:${folder}/b.jsonl:2 was left out: Unexpected token 'b', "broken" is not valid JSON`,
    `${folder} was not read completely: nothing in it counts as vanished`,
  ]);
});

test('observes the sources and the store', async () => {
  const folder = await temporaryFolder();
  const documentStore = openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') });
  onTestFinished(() => documentStore.close());
  const given = { params: { sources: [folder] }, ports: { documentStore, metadataStore: await metadataStore() } };
  const tokens = [await observeStep(collectSources, given)];
  const note = async (): Promise<void> => void tokens.push(await observeStep(collectSources, given));
  await note();
  expect(tokens[1]).toBe(tokens[0]);
  await writeFile(join(folder, 'a.md'), 'A');
  await note();
  await utimes(join(folder, 'a.md'), 1, 1);
  await note();
  await runStep(collectSources, given);
  await note();
  await rm(join(folder, 'a.md'));
  await note();
  expect(new Set(tokens).size).toBe(5);
});

test('given no source, reads again what was collected before', async () => {
  const folder = await temporaryFolder();
  const documentStore = openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') });
  onTestFinished(() => documentStore.close());
  const ports = { documentStore, metadataStore: await metadataStore() };
  const nothing = await runStep(collectSources, { ports });
  expect(nothing.logs).toEqual(['No source is known yet. Name one: twin collect PATH']);
  await writeFile(join(folder, 'a.md'), 'A');
  await runStep(collectSources, { params: { sources: [folder] }, ports });
  await writeFile(join(folder, 'b.md'), 'B');
  expect((await runStep(collectSources, { ports })).outputs['collection']).toMatchObject({ documents: 2, inserted: 1, unchanged: 1 });
});
