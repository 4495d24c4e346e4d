import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { collect } from '../../src/cli/commands/collect.ts';
import { verifyIndex } from '../../src/cli/commands/verify.ts';
import { installation } from '../../src/cli/project.ts';
import { said } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What the collecting step counted. */
async function counts(folder: string, flags: Parameters<typeof collect>[1]): Promise<Record<string, number>> {
  const { events, exit } = await said({ folder, project: installation }, (context) => collect(context, flags, join(folder, 'notes')));
  expect(exit).toBe(0);
  return { ...events.find((event) => event.type === 'step-finished')?.counts };
}

test('twin collect reads the paths that it is given; what vanished is marked, and with --prune deleted', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'notes'));
  await writeFile(join(folder, 'notes/a.md'), '# A\n\nSome words on a.\n');
  await writeFile(join(folder, 'notes/b.md'), '# B\n\nSome words on b.\n');
  expect(await counts(folder, {})).toMatchObject({ documents: 2, inserted: 2 });
  await rm(join(folder, 'notes/b.md'));
  expect(await counts(folder, {})).toMatchObject({ documents: 1, vanished: 1, removed: 0 });
  expect(await counts(folder, { prune: true })).toMatchObject({ documents: 1, removed: 1 });
});

test('twin verify index says how to get an index where there is none', async () => {
  const folder = await temporaryFolder();
  const { stderr, exit } = await said({ folder, project: installation }, (context) => verifyIndex(context));
  expect(stderr).toMatch(/^error: There is no index .*documents.* yet\n[^]*twin run feature-pipeline\n$/);
  expect(exit).not.toBe(0);
});
