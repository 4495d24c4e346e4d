import { expect, test } from 'vitest';
import { memoryVectorIndex } from '../support/memory-vector-index.ts';

test('a call on an index that does not name the tenant does not compile', async () => {
  const index = memoryVectorIndex();
  const vector = Float32Array.of(1);
  const calls = [
    // @ts-expect-error -- whose points?
    () => index.count('g'),
    // @ts-expect-error -- whose points?
    () => index.searchDense('g', { vector, limit: 1 }),
    // @ts-expect-error -- whose points?
    () => index.searchSparse('g', { terms: ['a'], limit: 1 }),
    // @ts-expect-error -- whose points?
    () => index.upsert('g', []),
    // @ts-expect-error -- whose points?
    () => index.remove('g', ['p'], 1),
    // @ts-expect-error -- a tenant is a name, and there is no word for all of them
    () => index.count('g', undefined),
  ];
  expect(calls).toHaveLength(6);
});
