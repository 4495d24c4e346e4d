import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteDocumentStore } from '../../../src/adapters/document-store/sqlite.ts';
import { documentStoreConformance } from '../../conformance/document-store.ts';
import { exampleDocument } from '../../support/documents.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

documentStoreConformance('SQLite', async () => openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') }));

test('a document changed past the store, by another program, moves the version all the same', async () => {
  const file = join(await temporaryFolder(), 'documents.db');
  const store = openSqliteDocumentStore({ file });
  await store.put([exampleDocument('a')]);
  const version = await store.version();
  const database = new DatabaseSync(file);
  database.exec(`UPDATE document SET body = json_set(body, '$.title', 'edited')`);
  database.close();
  expect(await store.version()).toBe(version + 1);
  await store.close();
});

test('versions of the embedded store count its changes', async () => {
  const store = openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') });
  await store.put([exampleDocument('a'), exampleDocument('b')]);
  await store.delete([{ tenant: 'default', id: 'b' }]);
  await store.put([exampleDocument('b')]);
  expect((await store.get([{ tenant: 'default', id: 'a' }]))[0]!.version).toBe(4);
  await store.close();
});
