import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openFolderArtifactStore } from '../../../src/adapters/artifact-store/folder.ts';
import { sha256 } from '../../../src/contracts/digest.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import type { ArtifactStore } from '../../../src/ports/artifact-store.ts';
import { artifactStoreConformance } from '../../conformance/artifact-store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

artifactStoreConformance('A folder', async () => openFolderArtifactStore({ folder: join(await temporaryFolder(), 'artifacts') }));

let folder: string;
let store: ArtifactStore;
beforeEach(async () => {
  folder = join(await temporaryFolder(), 'artifacts');
  store = openFolderArtifactStore({ folder });
});

async function putModel() {
  const path = join(await store.stage(), 'model');
  await mkdir(join(path, 'sub'), { recursive: true });
  await writeFile(join(path, 'config.json'), '{}');
  await writeFile(join(path, 'sub/weights'), 'abc');
  return store.putFolder(path);
}

test('opening a store makes nothing', () => {
  expect(existsSync(folder)).toBe(false);
});

test('stored files are read-only and nothing stays in staging but empty folders', async () => {
  const { digest } = await putModel();
  const path = await store.localPath('folder', digest);
  expect(path).toBe(join(folder, digest.slice(0, 2), `${digest}.folder`, 'files'));
  expect(statSync(join(path, 'sub/weights')).mode & 0o777).toBe(0o444);
  expect(readdirSync(join(folder, '.staging'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toEqual([]);
});

test('the digest of a folder is the sha256 of its manifest', async () => {
  const { digest } = await putModel();
  const manifest = `{"files":[{"bytes":2,"path":"config.json","sha256":"${sha256('{}')}"},{"bytes":3,"path":"sub/weights","sha256":"${sha256('abc')}"}]}`;
  expect(digest).toBe(sha256(manifest));
});

test('a changed byte is found where hashes are compared, a changed size always', async () => {
  const content = await putModel();
  const weights = join(await store.localPath('folder', content.digest), 'sub/weights');
  await chmod(weights, 0o644);
  await writeFile(weights, 'abd');
  expect(await store.has('folder', content)).toBe(true);
  expect(await store.has('folder', content, { verify: true })).toBe(false);
  await truncate(weights, 1);
  expect(await store.has('folder', content)).toBe(false);
});

test('a broken artifact is replaced when its content is put again', async () => {
  const content = await putModel();
  await rm(join(await store.localPath('folder', content.digest), 'sub/weights'));
  expect(await store.has('folder', content)).toBe(false);
  await putModel();
  expect(await store.has('folder', content, { verify: true })).toBe(true);
});

test('an added file makes a folder another one', async () => {
  const content = await putModel();
  await writeFile(join(await store.localPath('folder', content.digest), 'extra'), 'x');
  expect(await store.has('folder', content)).toBe(false);
});

test('a symbolic link is refused by name and the folder stays where it is', async () => {
  const path = join(await store.stage(), 'model');
  await mkdir(path);
  await symlink('/etc/passwd', join(path, 'link'));
  const error = await store.putFolder(path).catch((error: unknown) => error as ProblemError);
  expect((error as ProblemError).problem).toEqual({
    reason: 'artifact-unsupported',
    message: `${path}/link cannot be part of an artifact`,
    where: `${path}/link`,
    expected: 'a regular file',
    found: 'a link, a device or another special file',
    hint: 'Copy what it points at into its place.',
    exit: 1,
  });
  expect(readdirSync(path)).toEqual(['link']);
});

test('a named pipe is refused instead of being waited for', async () => {
  const path = join(await store.stage(), 'pipe');
  execFileSync('mkfifo', [path]);
  await expect(store.putFile(path)).rejects.toMatchObject({ problem: { reason: 'artifact-unsupported' } });
});
