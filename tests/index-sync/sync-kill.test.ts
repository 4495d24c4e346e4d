import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { SyncPoint } from '../../src/index-sync/apply.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openRig } from './rig.ts';

function syncAndDie(folder: string, point: SyncPoint, occasion: number): NodeJS.Signals | null {
  return spawnSync(process.execPath, [join(import.meta.dirname, 'sync-and-die.ts'), folder, point, String(occasion)], { stdio: 'ignore' })
    .signal;
}

test.each<[SyncPoint, number]>([
  ['after-intent', 2],
  ['after-upsert', 1],
  ['after-remove', 2],
  ['after-applied', 1],
  ['after-cursor', 1],
])('what a kill -9 %s left behind is finished by the next process', async (point, occasion) => {
  const folder = await temporaryFolder();
  const rig = openRig(folder, { onDisk: true });
  onTestFinished(() => rig.close());
  const document = (index: number, text: string) => exampleDocument(`d${index}`, { content: `${text}\nline ${index}` });
  await rig.documentStore.put(Array.from({ length: 300 }, (_, index) => document(index, 'first')));
  await rig.sync();
  await rig.documentStore.put(Array.from({ length: 200 }, (_, index) => document(index, 'second')));
  await rig.documentStore.delete(Array.from({ length: 20 }, (_, index) => ({ tenant: 'default', id: `d${index}` })));

  expect(syncAndDie(folder, point, occasion)).toBe('SIGKILL');
  expect(await rig.sync()).toMatchObject({ documents: 280, points: 560 });
  expect((await rig.verify()).result).toMatchObject({ documents: 280, points: 560, missing: 0, stale: 0, different: 0 });
  expect(await rig.differences()).toEqual([]);
});
