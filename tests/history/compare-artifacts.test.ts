import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFolderArtifactStore } from '../../src/adapters/artifact-store/folder.ts';
import type { ArtifactReference } from '../../src/contracts/artifact.ts';
import { compareArtifacts } from '../../src/history/compare-artifacts.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

async function storeOf() {
  const folder = await temporaryFolder();
  const store = openFolderArtifactStore({ folder: join(folder, 'artifacts') });
  const rows = async (...values: readonly object[]): Promise<ArtifactReference> => {
    const file = join(await store.stage(), 'rows');
    await writeFile(file, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
    return { kind: 'rows', name: 'rows', ...(await store.putFile(file)), rows: values.length };
  };
  const files = async (contents: Readonly<Record<string, string>>): Promise<ArtifactReference> => {
    const path = join(await store.stage(), 'files');
    await mkdir(path);
    for (const [name, content] of Object.entries(contents)) await writeFile(join(path, name), content);
    return { kind: 'folder', name: 'model', ...(await store.putFolder(path)) };
  };
  return { store, rows, files };
}

const chunk = (document: string, text: string, address = `${document}.md`) => ({ address, sources: [{ document, revision: 'r' }], text });

test('rows are told by the documents that they come from, whatever their order', async () => {
  const { store, rows } = await storeOf();
  const before = await rows(chunk('a', 'one'), chunk('a', 'two'), chunk('b', 'three'), chunk('c', 'four\u2028still four'));
  const after = await rows(chunk('c', 'four\u2028still four'), chunk('a', 'two'), chunk('a', 'one, edited'), chunk('d', 'five'));
  expect(await compareArtifacts(before, after, store)).toEqual({
    kind: 'rows',
    rows: { before: 4, after: 4, added: 2, removed: 2, changed: 0 },
    documents: { before: 3, after: 3, added: 1, removed: 1, changed: 1 },
    examples: [
      { name: 'a.md', change: 'changed' },
      { name: 'd.md', change: 'added' },
      { name: 'b.md', change: 'removed' },
    ],
  });
});

test('rows that name no document are told by their ids, or counted alone', async () => {
  const { store, rows } = await storeOf();
  const named = await compareArtifacts(await rows({ id: 1, text: 'a' }), await rows({ id: 1, text: 'b' }), store);
  expect(named).toMatchObject({ documents: { changed: 1 }, examples: [{ name: '1', change: 'changed' }] });
  const nameless = await compareArtifacts(await rows({ text: 'a' }, { text: 'a' }), await rows({ text: 'a' }), store);
  expect(nameless).toEqual({
    kind: 'rows',
    rows: { before: 2, after: 1, added: 0, removed: 1, changed: 0 },
    documents: null,
    examples: [],
  });
});

test('JSON is told member by member, a folder file by file', async () => {
  const { store, files } = await storeOf();
  const json = (inline: object): ArtifactReference => ({
    kind: 'json',
    name: 'report',
    digest: '0'.repeat(64),
    bytes: 1,
    inline: inline as never,
  });
  expect(await compareArtifacts(json({ loss: 2, by: { tag: 'x' } }), json({ loss: 1, by: { tag: 'x', more: true } }), store)).toEqual({
    kind: 'json',
    members: [
      { path: 'loss', before: 2, after: 1 },
      { path: 'by.more', before: null, after: true },
    ],
    more: 0,
  });
  const before = await files({ 'config.json': '{}', 'weights.bin': 'abc', 'old.txt': '' });
  const after = await files({ 'config.json': '{}', 'weights.bin': 'abd', 'new.txt': '' });
  expect(await compareArtifacts(before, after, store)).toEqual({
    kind: 'folder',
    files: { before: 3, after: 3, added: 1, removed: 1, changed: 1 },
    examples: [
      { name: 'weights.bin', change: 'changed' },
      { name: 'new.txt', change: 'added' },
      { name: 'old.txt', change: 'removed' },
    ],
  });
});

test('what is not stored any more cannot be compared, and that is said', async () => {
  const { store, rows } = await storeOf();
  const [before, after] = [await rows({ id: 1 }), await rows({ id: 2 })];
  await store.remove('file', before.digest);
  expect(await compareArtifacts(before, after, store)).toEqual({ kind: 'unknown', what: 'the content before is not stored any more' });
});
