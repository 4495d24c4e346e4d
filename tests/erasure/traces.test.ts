import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holdsTrace, tracesInFile, tracesOf } from '../../src/erasure/traces.ts';
import { exampleDocument } from '../support/documents.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const line = 'A line of this document that is long enough to be nobody else’s, with "quotes".';
const document = {
  ...exampleDocument('d1', { content: `short\n${line}\n`, authorId: 'ann', authorName: 'Ann' }),
  revision: '',
  vanished: false,
};

test('a document is found by its id, its address, its longest lines, and by its author where all of the author goes', () => {
  expect(tracesOf(document, false).map(({ what }) => what)).toEqual(['id', 'address', 'content']);
  expect(tracesOf(document, true).map(({ what }) => what)).toEqual(['id', 'address', 'author', 'author', 'content']);
  const content = tracesOf(document, false).find(({ what }) => what === 'content');
  expect(holdsTrace(JSON.stringify({ text: `before ${line} after` }), [content!])).toBe(true);
  expect(holdsTrace('something else', [content!])).toBe(false);
});

test('a trace that lies across two pieces of a file is found', async () => {
  const file = join(await temporaryFolder(), 'file');
  const traces = [{ what: 'id' as const, bytes: Buffer.from('needle-in-a-haystack') }];
  for (const before of [0, (1 << 20) - 7, 1 << 20, 2 * (1 << 20) - 19]) {
    await writeFile(file, `${'x'.repeat(before)}needle-in-a-haystack`);
    expect([...(await tracesInFile(file, traces))]).toEqual(['id']);
  }
  await writeFile(file, `${'x'.repeat(3 << 20)}needle-in-a-haystac`);
  expect((await tracesInFile(file, traces)).size).toBe(0);
});
