import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openSqliteMetadataStore } from '../../../src/adapters/metadata-store/sqlite.ts';
import { metadataStoreConformance } from '../../conformance/metadata-store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

metadataStoreConformance('SQLite', async () => openSqliteMetadataStore({ file: join(await temporaryFolder(), 'state.db') }));

const appending = (file: string, count: number) =>
  spawn(process.execPath, [join(import.meta.dirname, 'append-until-killed.ts'), file, 'run/a', String(count)], {
    stdio: ['ignore', count === 0 ? 'pipe' : 'ignore', 'inherit'],
  });

test('processes that write at once lose nothing and double nothing', async () => {
  const file = join(await temporaryFolder(), 'state.db');
  const children = [appending(file, 300), appending(file, 300)];
  const store = openSqliteMetadataStore({ file });
  for (let n = 1; n <= 100; n++) await store.append('run/a', null, [{ pid: process.pid, n }]);
  const codes = await Promise.all(children.map(async (child) => ((await once(child, 'exit')) as [number])[0]));
  expect(codes).toEqual([0, 0]);
  const records = await store.read('run/a', 0);
  expect(records.map(({ seq }) => seq)).toEqual(Array.from({ length: 700 }, (_, n) => n + 1));
  for (const pid of [process.pid, ...children.map((child) => child.pid!)]) {
    const own = records.map(({ data }) => data as { pid: number; n: number }).filter((data) => data.pid === pid);
    expect(own.map(({ n }) => n)).toEqual(Array.from({ length: pid === process.pid ? 100 : 300 }, (_, n) => n + 1));
  }
  await store.close();
});

test.each([1, 2, 3])('a process that is killed loses nothing that the store had taken (%i)', async (seed) => {
  const file = join(await temporaryFolder(), 'state.db');
  const child = appending(file, 0);
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout!)) {
    acknowledged = Number(line);
    if (acknowledged === seed * 97) child.kill('SIGKILL');
  }
  const store = openSqliteMetadataStore({ file });
  const records = await store.read('run/a', 0);
  expect(records.length).toBeGreaterThanOrEqual(acknowledged);
  expect(records.map(({ seq, data }) => [seq, (data as { n: number }).n])).toEqual(records.map((_, at) => [at + 1, at + 1]));
  expect(await store.append('run/a', records.length, ['on'])).toEqual({ ok: true, seq: records.length + 1 });
  await store.close();
});
