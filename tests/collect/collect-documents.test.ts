import { execFileSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { openSqliteDocumentStore } from '../../src/adapters/document-store/sqlite.ts';
import { collectDocuments } from '../../src/collect/collect-documents.ts';
import type { Collection } from '../../src/collect/collection.ts';
import type { ProblemError } from '../../src/contracts/problem.ts';
import type { DocumentStore } from '../../src/ports/document-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;
let store: DocumentStore;

beforeEach(async () => {
  folder = await temporaryFolder();
  store = openSqliteDocumentStore({ file: join(await temporaryFolder(), 'documents.db') });
  const opened = store;
  onTestFinished(() => opened.close());
});

async function write(files: Record<string, string | Buffer>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

function collect(sources: string[] = ['.'], options: { prune?: boolean; maxBytes?: number } = {}): Promise<Collection> {
  return collectDocuments({ sources, from: folder, tenant: 'default', prune: false, maxBytes: 1000, ...options }, store);
}

async function addresses(): Promise<string[]> {
  return (await store.scan({ limit: 1000 })).map(({ address }) => address).toSorted();
}

const article = (link: string, text: string): string => JSON.stringify({ link, content: { Title: link, Subtitle: null, Content: text } });

describe('collecting a folder', () => {
  test('takes Markdown, text, HTML, code and exports, and leaves the rest', async () => {
    await write({
      'README.md': 'Intro\n# The title\n',
      'notes/a.txt': 'Notes',
      'page.html': '<html><title>A page</title><p>Hello',
      'src/main.py': 'print(1)',
      'articles.jsonl': `${article('https://e.org/1', 'One')}\n\n${article('https://e.org/2', 'Two')}\n`,
      'package.json': '{"name": "x"}',
      'tsconfig.json': '{ // a comment\n}',
      'photo.png': Buffer.from([0x89, 0x50]),
      '.hidden/secret.md': 'No',
      'node_modules/x/readme.md': 'No',
    });
    await symlink(join(folder, 'README.md'), join(folder, 'link.md'));
    const collection = await collect();
    expect(collection).toMatchObject({ documents: 6, inserted: 6, updated: 0, unchanged: 0, rejected: 0, rejections: [] });
    expect(collection.sources).toEqual([
      { source: '.', kind: 'folder', documents: 6, rejected: 0, unsupported: 3, ignored: 3, complete: true },
    ]);
    const documents = await store.scan({ limit: 10 });
    expect(
      documents
        .map(({ address, title, contentType, language, origin, platform }) => [address, title, contentType, language, origin, platform])
        .toSorted((one, other) => (String(one[0]) < String(other[0]) ? -1 : 1)),
    ).toEqual([
      ['file:README.md', 'The title', 'markdown', null, '.', 'file'],
      ['file:notes/a.txt', null, 'text', null, '.', 'file'],
      ['file:page.html', 'A page', 'html', null, '.', 'file'],
      ['file:src/main.py', null, 'code', 'python', '.', 'file'],
      ['https://e.org/1', 'https://e.org/1', 'markdown', null, '.', 'file'],
      ['https://e.org/2', 'https://e.org/2', 'markdown', null, '.', 'file'],
    ]);
  });

  test('changes nothing when nothing has changed, and what has changed otherwise', async () => {
    await write({ 'a.md': 'A', 'b.md': 'B' });
    await collect();
    const version = await store.version();
    expect(await collect()).toMatchObject({ inserted: 0, updated: 0, unchanged: 2 });
    expect(await store.version()).toBe(version);
    await write({ 'a.md': 'A, changed', 'c.md': 'C' });
    expect(await collect()).toMatchObject({ inserted: 1, updated: 1, unchanged: 1, vanished: 0 });
  });

  test('names each file that it cannot take, and takes the others', async () => {
    await write({
      'bad.md': Buffer.from([0xef, 0xbf, 0xbd, 0xff, 0x62]),
      'binary.txt': 'a\0b',
      'empty.md': ' \n',
      'large.md': 'x'.repeat(1000),
      'locked.md': 'x',
      'good.md': 'Good',
    });
    await chmod(join(folder, 'locked.md'), 0o000);
    const collection = await collect();
    const isRoot = process.getuid?.() === 0;
    expect(await addresses()).toEqual(isRoot ? ['file:good.md', 'file:locked.md'] : ['file:good.md']);
    expect(collection.rejections).toEqual([
      { address: 'file:bad.md', reason: 'invalid-utf8', message: 'file:bad.md is not UTF-8: byte 3 begins no character' },
      { address: 'file:binary.txt', reason: 'binary', message: 'file:binary.txt is binary: byte 1 is NUL' },
      { address: 'file:empty.md', reason: 'empty', message: 'file:empty.md is empty' },
      { address: 'file:large.md', reason: 'too-large', message: 'file:large.md is too large: 1000 bytes, and the limit is 1000 bytes' },
      ...(isRoot ? [] : [{ address: 'file:locked.md', reason: 'unreadable', message: 'file:locked.md cannot be read: EACCES' }]),
    ]);
    expect(collection.sources[0]!.complete).toBe(true);
  });

  test('honours .gitignore in a git working tree', async () => {
    execFileSync('git', ['init', '-q'], { cwd: folder });
    await write({ 'a.md': 'A', 'gone.md': 'Gone', 'skipped.md': 'No', '.gitignore': 'skipped.md\n' });
    execFileSync('git', ['add', '.'], { cwd: folder });
    await rm(join(folder, 'gone.md'));
    await write({ 'new.md': 'New' });
    expect((await collect()).sources[0]).toMatchObject({ kind: 'git', documents: 2, complete: true });
    expect(await addresses()).toEqual(['file:a.md', 'file:new.md']);
  });
});

describe('collecting an export', () => {
  test('loses one document to a broken line, and says which line', async () => {
    await write({ 'articles.jsonl': `${article('a', 'A')}\n{"link": "b", "content": \n${article('c', 'C')}\n{"link": "d"}\n` });
    const collection = await collect(['articles.jsonl']);
    expect(await addresses()).toEqual(['a', 'c']);
    expect(collection.rejections).toEqual([
      {
        address: 'file:articles.jsonl:2',
        reason: 'broken-record',
        message: 'The record at file:articles.jsonl:2 was left out: Unexpected end of JSON input',
      },
      {
        address: 'file:articles.jsonl:4',
        reason: 'broken-record',
        message: 'The record at file:articles.jsonl:4 was left out: it has no text under `content` or `text`',
      },
    ]);
    expect(collection.sources[0]!.complete).toBe(false);
  });

  test('may be an array, wrapped or not, one object, or JSON Lines under another name', async () => {
    await write({
      'array.json': `[${article('a', 'A')}]`,
      'wrapped.json': `{"artifact_data": [${article('b', 'B')}]}`,
      'single.json': article('c', 'C'),
      'lines.json': `${article('d', 'D')}\n${article('e', 'E')}\n`,
    });
    expect(await collect(['array.json', 'wrapped.json', 'single.json', 'lines.json'])).toMatchObject({ documents: 5, rejected: 0 });
    expect(await addresses()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('keeps the last of documents at one address, every time', async () => {
    await write({ 'a.jsonl': `${article('a', 'Old')}\n${article('b', 'B')}\n${article('a', 'New')}\n` });
    expect(await collect(['a.jsonl'])).toMatchObject({ documents: 2, inserted: 2, duplicates: 1 });
    expect((await store.scan({ limit: 10 })).map(({ content }) => content).toSorted()).toEqual(['B', 'New']);
    expect(await collect(['a.jsonl'])).toMatchObject({ unchanged: 2, updated: 0, duplicates: 1 });
  });

  test('flags equal content at different addresses and keeps it', async () => {
    await write({ 'a.jsonl': `${article('a', 'Same')}\n${article('b', 'Same')}\n` });
    expect(await collect(['a.jsonl'])).toMatchObject({
      documents: 2,
      inserted: 2,
      equalContent: 1,
      equalContentPairs: [{ address: 'b', first: 'a' }],
    });
  });

  test('that holds no documents is named', async () => {
    await write({ 'package.json': '{"name": "x"}', 'broken.json': '{"name": ' });
    expect((await collect(['package.json', 'broken.json'])).rejections.map(({ message }) => message)).toEqual([
      'The record at file:package.json:1 was left out: it has no text under `content` or `text`',
      'The record at file:broken.json:1 was left out: Unexpected end of JSON input',
    ]);
  });
});

describe('what a source no longer holds', () => {
  beforeEach(async () => {
    await write({ 'docs/a.md': 'A', 'docs/b.md': 'B', 'other/c.md': 'C' });
    await collect(['docs', 'other']);
    await rm(join(folder, 'docs/b.md'));
  });

  const vanished = async (): Promise<string[]> =>
    (await store.scan({ limit: 10 })).filter((document) => document.vanished).map(({ address }) => address);

  test('is marked once, and the mark goes when it is back', async () => {
    expect(await collect(['docs'])).toMatchObject({ vanished: 1, removed: 0, restored: 0 });
    expect(await vanished()).toEqual(['file:docs/b.md']);
    expect(await collect(['docs'])).toMatchObject({ vanished: 0, removed: 0, restored: 0 });
    await write({ 'docs/b.md': 'B' });
    expect(await collect(['docs'])).toMatchObject({ vanished: 0, restored: 1, unchanged: 2 });
    expect(await vanished()).toEqual([]);
  });

  test('is deleted with prune, and nothing of other sources', async () => {
    expect(await collect(['docs'], { prune: true })).toMatchObject({ removed: 1, vanished: 0 });
    expect(await addresses()).toEqual(['file:docs/a.md', 'file:other/c.md']);
  });

  test('is left alone when the source was not read completely', async () => {
    await write({ 'docs/export.jsonl': `${article('x', 'X')}\n{broken\n` });
    expect(await collect(['docs'], { prune: true })).toMatchObject({ removed: 0, vanished: 0, rejected: 1 });
    expect(await addresses()).toContain('file:docs/b.md');
  });

  test('does not include a file that can no longer be read', async () => {
    await write({ 'docs/a.md': Buffer.from([0xff]) });
    expect(await collect(['docs'], { prune: true })).toMatchObject({ removed: 1, rejected: 1 });
    expect(await addresses()).toContain('file:docs/a.md');
  });
});

test('a source that does not exist is a problem before anything is read', async () => {
  await write({ 'a.md': 'A' });
  const problem = await collect(['a.md', 'missing']).catch((error: unknown) => (error as ProblemError).problem);
  expect(problem).toEqual({
    reason: 'source-not-found',
    message: 'The source missing does not exist',
    where: join(folder, 'missing'),
    hint: 'Name files and folders that exist: twin collect PATH…',
    exit: 2,
  });
  expect(await store.count()).toBe(0);
});
