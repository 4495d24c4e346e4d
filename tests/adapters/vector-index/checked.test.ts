import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openSqliteVectorIndex } from '../../../src/adapters/vector-index/sqlite.ts';
import type { ProblemError } from '../../../src/contracts/problem.ts';
import type { VectorIndex } from '../../../src/ports/vector-index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let index: VectorIndex;
beforeEach(async () => {
  index = openSqliteVectorIndex({ file: join(await temporaryFolder(), 'index.db') });
  onTestFinished(() => index.close());
  await index.ensure('docs-1', 2);
});

const problemOf = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('it was no problem'),
    (error: ProblemError) => error.problem,
  );
const search = (generation: string, ...vector: number[]) =>
  index.searchDense(generation, 'default', { vector: Float32Array.from(vector), limit: 1 });

test('an embedder of another dimension is told apart from the index', async () => {
  expect(await problemOf(index.ensure('docs-1', 3))).toEqual({
    reason: 'index-dimension',
    message: 'The index generation docs-1 holds vectors of another dimension',
    where: 'docs-1',
    expected: '2 values, as it was made with',
    found: '3 values, as the embedder gives',
    hint: 'Drop that generation, or configure the embedder that it was made with.',
    exit: 2,
  });
  expect(await problemOf(search('docs-1', 1, 2, 3))).toEqual({
    reason: 'vector-dimension',
    message: 'The vector of the query has another dimension than the index',
    expected: '2 values',
    found: '3 values',
    hint: 'Use the embedder that the index was made with.',
    exit: 1,
  });
});

test('a value that is no number is told with its position', async () => {
  expect(await problemOf(search('docs-1', 1, -Infinity))).toEqual({
    reason: 'vector-not-finite',
    message: 'The vector of the query holds a value that is no number',
    expected: 'finite values',
    found: '-Infinity at position 1',
    hint: 'Look at the text that was embedded, and at the log of the embedder.',
    exit: 1,
  });
});

test('a generation that is not there is told with what makes one', async () => {
  expect(await problemOf(search('docs-2', 1, 2))).toEqual({
    reason: 'index-unknown-generation',
    message: 'The index has no generation docs-2',
    where: 'docs-2',
    expected: 'a generation that the feature-pipeline made',
    found: 'none of that name',
    hint: 'Run `twin run feature-pipeline`.',
    exit: 1,
  });
});

test('a generation that is dropped and made anew may have another dimension', async () => {
  await search('docs-1', 1, 2);
  await index.drop('docs-1');
  await index.ensure('docs-1', 3);
  expect(await search('docs-1', 1, 2, 3)).toEqual([]);
});
