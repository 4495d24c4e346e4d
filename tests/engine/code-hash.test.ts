import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeHashTable, codeHasher } from '../../src/engine/code-hash.ts';
import { memoryMetadataStore } from '../support/memory-metadata-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'code-hash-'));
  await write('package-lock.json', JSON.stringify({ packages: { 'node_modules/zod': { version: '4.0.0' } } }));
  await write('helper.ts', 'export const add = (a: number, b: number): number => a + b;\nexport const unused = 1;\n');
  await write('between.ts', "export { add } from './helper.ts';\n");
  await write(
    'step.ts',
    "import { z } from 'zod';\nimport { add } from './between.ts';\nexport const step = { run: () => add(1, 2), params: z.int() };\n",
  );
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const edit = async (name: string, from: string, to: string) => write(name, (await readFile(join(folder, name), 'utf8')).replace(from, to));

async function hashOf(name = 'step.ts', cache = memoryMetadataStore()): Promise<string> {
  const hash = await codeHasher(cache).hash(join(folder, name));
  return hash.ok ? hash.value : hash.error.reason;
}

describe('the hash of a step’s code', () => {
  test('stays when comments, format or unused code change', async () => {
    const before = await hashOf();
    await edit('helper.ts', 'export const unused = 1;', '// a remark\nexport const unused = 2;');
    await edit('step.ts', 'run: () => add(1, 2)', 'run:\n  () => /* why */ add(1,   2)');
    expect(await hashOf()).toBe(before);
  });

  test('changes with a helper two imports away', async () => {
    const before = await hashOf();
    await edit('helper.ts', 'a + b', 'a - b');
    expect(await hashOf()).not.toBe(before);
  });

  test('changes with the version of a package', async () => {
    const cache = memoryMetadataStore();
    const before = await hashOf('step.ts', cache);
    await edit('package-lock.json', '4.0.0', '4.0.10');
    expect(await hashOf('step.ts', cache)).not.toBe(before);
  });

  test('is remembered until a file of its graph changes', async () => {
    const cache = memoryMetadataStore();
    const before = await hashOf('step.ts', cache);
    expect(await hashOf('step.ts', cache)).toBe(before);
    expect(cache.calls['putMany']).toBe(2);
    await edit('helper.ts', 'a + b', 'a * b + 0');
    expect(await hashOf('step.ts', cache)).not.toBe(before);
    expect(cache.calls['putMany']).toBe(4);
    expect(await cache.scan(codeHashTable, '', '', 10)).toHaveLength(1);
  });

  test('is kept beside the hash of each module and the version of each package', async () => {
    const cache = memoryMetadataStore();
    const partsNow = async () => codeHasher(cache).parts(await hashOf('step.ts', cache));
    const before = await partsNow();
    expect(Object.keys(before!.modules).toSorted()).toEqual(['helper.ts', 'step.ts']);
    expect(before!.packages).toEqual({ zod: '4.0.0' });
    await edit('helper.ts', 'a + b', 'a - b');
    await edit('package-lock.json', '4.0.0', '4.0.10');
    const after = await partsNow();
    expect(after!.modules['helper.ts']).not.toBe(before!.modules['helper.ts']);
    expect(after!.modules['step.ts']).toBe(before!.modules['step.ts']);
    expect(after!.packages).toEqual({ zod: '4.0.10' });
    expect(await codeHasher(cache).parts('never seen')).toBeNull();
  });

  test('is refused where code is imported dynamically', async () => {
    await write('lazy.ts', "export const step = { run: () => import('./helper.ts') };\n");
    await write('hidden.ts', 'export const step = { run: (name: string) => import(name) };\n');
    expect(await hashOf('lazy.ts')).toBe('dynamic-import');
    expect(await hashOf('hidden.ts')).toBe('dynamic-import');
  });

  test('is not put off by a string that looks like an import', async () => {
    await write('text.ts', "export const step = { run: () => 'import (x)' };\n");
    expect(await hashOf('text.ts')).toMatch(/^[0-9a-f]{64}$/);
  });

  test('is refused where the code cannot be read', async () => {
    await write('broken.ts', "import { missing } from './missing.ts';\nexport const step = missing;\n");
    expect(await hashOf('broken.ts')).toBe('code-unreadable');
  });
});
