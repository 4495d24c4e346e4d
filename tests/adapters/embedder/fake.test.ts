import { expect, test } from 'vitest';
import { fakeEmbedder } from '../../../src/adapters/embedder/fake.ts';
import { embedderConformance } from '../../conformance/embedder.ts';

embedderConformance('The fake embedder', async () => fakeEmbedder());

test('it is called fake, and its dimension is part of what it is', () => {
  expect(fakeEmbedder().identity).toBe('fake-word-hash-1 384');
  expect(fakeEmbedder({ dimension: 16 })).toMatchObject({ identity: 'fake-word-hash-1 16', dimension: 16 });
});
