import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSqliteChangeFeed } from '../../../src/adapters/change-feed/sqlite.ts';
import { openSqliteDocumentStore } from '../../../src/adapters/document-store/sqlite.ts';
import { changeFeedConformance } from '../../conformance/change-feed.ts';
import { exampleDocument } from '../../support/documents.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const openIn = (file: string) => ({ documents: openSqliteDocumentStore({ file }), feed: openSqliteChangeFeed({ file }) });

changeFeedConformance('SQLite', async () => openIn(join(await temporaryFolder(), 'documents.db')));

test('an older copy put in the place of the store is a gap', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'documents.db');
  const first = openIn(file);
  await first.documents.put([exampleDocument('a')]);
  await first.documents.close();
  await copyFile(file, join(folder, 'backup.db'));
  const second = openIn(file);
  await second.documents.put([exampleDocument('b'), exampleDocument('c')]);
  const cursor = await second.feed.head(null);
  await second.documents.close();
  await second.feed.close();
  await copyFile(join(folder, 'backup.db'), file);
  const restored = openIn(file);
  expect(await restored.feed.read(cursor, 10)).toEqual({
    kind: 'gap-detected',
    message: `The cursor stands at change 3, and the store ends at change 1: an older copy was put in its place (${file})`,
  });
  await restored.documents.put(['d', 'e', 'f'].map((id) => exampleDocument(id)));
  expect(await restored.feed.read(cursor, 10)).toEqual({
    kind: 'gap-detected',
    message: `The cursor stands at change 3, which is another change in this store: an older copy was put in its place and has grown since (${file})`,
  });
  await restored.documents.close();
  await restored.feed.close();
});

test('a reader that waits gets a change when it is made, and nothing when the time is over', async () => {
  const { documents, feed } = openIn(join(await temporaryFolder(), 'documents.db'));
  const start = await feed.head(null);
  const waiting = feed.read(start, 10, { waitMs: 20_000 });
  await documents.put([exampleDocument('a')]);
  expect(await waiting).toMatchObject({ kind: 'changes', changes: [{ key: { id: 'a' } }] });
  expect(await feed.read(await feed.head(null), 10, { waitMs: 60 })).toMatchObject({ changes: [], more: false });
  expect(await feed.read(await feed.head(null), 10, { waitMs: 60_000, signal: AbortSignal.abort() })).toMatchObject({ changes: [] });
  await feed.close();
  await documents.close();
});

test('the log keeps one entry a key, however often it changed', async () => {
  const { documents, feed } = openIn(join(await temporaryFolder(), 'documents.db'));
  for (let n = 0; n < 10; n++) await documents.put([exampleDocument('a', { content: String(n) })]);
  expect(await feed.read(null, 100)).toMatchObject({ changes: [{ key: { tenant: 'default', id: 'a' }, version: 10 }], more: false });
  await feed.close();
  await documents.close();
});
