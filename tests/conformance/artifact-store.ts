import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256 } from '../../src/contracts/digest.ts';
import type { ArtifactStore } from '../../src/ports/artifact-store.ts';

/** What every artifact store must do. The factory opens a new, empty store. */
export function artifactStoreConformance(name: string, open: () => Promise<ArtifactStore>): void {
  describe(`${name} keeps the contract of an artifact store`, () => {
    let store: ArtifactStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    const putText = async (content: string) => {
      const path = join(await store.stage(), 'text');
      await writeFile(path, content);
      return store.putFile(path);
    };
    const staged = async (files: Record<string, string>) => {
      const folder = join(await store.stage(), 'model');
      await mkdir(join(folder, 'sub'), { recursive: true });
      for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
      return folder;
    };
    const model = { 'config.json': '{}', 'sub/weights': 'abc' };
    const nowhere = '0'.repeat(64);

    test('a file is known by its sha256 and size, and leaves the place it came from', async () => {
      const path = join(await store.stage(), 'text');
      await writeFile(path, 'hello');
      expect(await store.putFile(path)).toEqual({ digest: sha256('hello'), bytes: 5 });
      expect(existsSync(path)).toBe(false);
      expect(await text(await store.read(sha256('hello')))).toBe('hello');
      expect(await readFile(await store.localPath('file', sha256('hello')), 'utf8')).toBe('hello');
    });

    test('the same content put twice, also at once, is one', async () => {
      expect(await Promise.all([putText('same'), putText('same'), putText('same')])).toEqual(
        [1, 2, 3].map(() => ({ digest: sha256('same'), bytes: 4 })),
      );
      expect(await text(await store.read(sha256('same')))).toBe('same');
    });

    test('an empty file is content too', async () => {
      const content = await putText('');
      expect(content.bytes).toBe(0);
      expect(await store.has('file', content, { verify: true })).toBe(true);
    });

    test('a folder is known by its paths and contents alone', async () => {
      const first = await store.putFolder(await staged(model));
      expect(first).toEqual({ digest: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 5, files: 2 });
      expect(await store.putFolder(await staged(model))).toEqual(first);
      const other = await store.putFolder(await staged({ 'config.json': '{}', 'sub/weight': 'abc' }));
      expect(other.digest).not.toBe(first.digest);
      const path = await store.localPath('folder', first.digest);
      expect(await readFile(join(path, 'sub/weights'), 'utf8')).toBe('abc');
    });

    test('the same folder put at once by several is one', async () => {
      const folders = await Promise.all([staged(model), staged(model), staged(model)]);
      const contents = await Promise.all(folders.map((folder) => store.putFolder(folder)));
      expect(new Set(contents.map(({ digest }) => digest)).size).toBe(1);
      expect(await store.has('folder', contents[0]!, { verify: true })).toBe(true);
    });

    test('content that was never put is not there', async () => {
      expect(await store.has('file', { digest: nowhere, bytes: 0 })).toBe(false);
      expect(await store.has('folder', { digest: nowhere, bytes: 0 }, { verify: true })).toBe(false);
      await expect(store.read(nowhere)).rejects.toMatchObject({ problem: { reason: 'artifact-missing', exit: 1 } });
      await expect(store.localPath('folder', nowhere)).rejects.toMatchObject({ problem: { reason: 'artifact-missing' } });
    });

    test('content of another size than the one asked for is not there', async () => {
      const content = await putText('hello');
      expect(await store.has('file', content)).toBe(true);
      expect(await store.has('file', { ...content, bytes: 4 })).toBe(false);
    });

    test('a file and a folder of one digest are two things', async () => {
      const folder = await store.putFolder(await staged(model));
      expect(await store.has('file', folder)).toBe(false);
    });

    test('removed content is gone, and removing it again is no error', async () => {
      const file = await putText('hello');
      const folder = await store.putFolder(await staged(model));
      for (const _ of [1, 2]) {
        await store.remove('file', file.digest);
        await store.remove('folder', folder.digest);
      }
      expect(await store.has('file', file)).toBe(false);
      expect(await store.has('folder', folder)).toBe(false);
      expect(await putText('hello')).toEqual(file);
      expect(await store.has('file', file, { verify: true })).toBe(true);
    });

    test('all content is listed with its size and the time at which it was put', async () => {
      const before = Date.now() - 2000;
      const file = await putText('hello');
      const folder = await store.putFolder(await staged(model));
      const listed = await Array.fromAsync(store.list());
      expect(listed.map(({ kind, digest, bytes }) => ({ kind, digest, bytes })).toSorted((a, b) => a.kind.localeCompare(b.kind))).toEqual([
        { kind: 'file', digest: file.digest, bytes: 5 },
        { kind: 'folder', digest: folder.digest, bytes: 5 },
      ]);
      for (const { putAt } of listed) {
        expect(putAt).toBeGreaterThan(before);
        expect(putAt).toBeLessThan(Date.now() + 2000);
      }
    });

    test('an empty store lists nothing', async () => {
      expect(await Array.fromAsync(store.list())).toEqual([]);
      expect(await Array.fromAsync(store.leftovers())).toEqual([]);
    });

    test('content that was put since a moment stays, and says so', async () => {
      const { digest } = await putText('hello');
      const { putAt } = (await Array.fromAsync(store.list()))[0]!;
      expect(await store.remove('file', digest, { putBefore: putAt })).toBe(false);
      expect(await text(await store.read(digest))).toBe('hello');
      expect(await store.remove('file', digest, { putBefore: putAt + 1000 })).toBe(true);
      expect(await store.remove('file', digest, { putBefore: putAt + 1000 })).toBe(false);
    });

    test('putting content that is there already renews the time at which it was put', async () => {
      const file = await putText('hello');
      const folder = await store.putFolder(await staged(model));
      const first = Math.max(...(await Array.fromAsync(store.list())).map(({ putAt }) => putAt));
      // Stores may count in whole seconds.
      await delay(1100);
      await putText('hello');
      await store.putFolder(await staged(model));
      for (const [kind, { digest }] of [
        ['file', file],
        ['folder', folder],
      ] as const) {
        expect(await store.remove(kind, digest, { putBefore: first + 1 })).toBe(false);
        expect(await store.remove(kind, digest)).toBe(true);
      }
    });

    test('a staging folder that nobody took over is listed and can be removed', async () => {
      const path = join(await store.stage(), 'half');
      await writeFile(path, 'written');
      const left = await Array.fromAsync(store.leftovers());
      const mine = left.find(({ bytes }) => bytes === 7)!;
      expect(mine.changedAt).toBeGreaterThan(Date.now() - 10_000);
      await store.removeLeftover(mine.name);
      expect(existsSync(path)).toBe(false);
      expect((await Array.fromAsync(store.leftovers())).map(({ name }) => name)).not.toContain(mine.name);
    });

    test('closing twice is harmless', async () => {
      await store.close();
      await expect(store.close()).resolves.toBeUndefined();
    });
  });
}
