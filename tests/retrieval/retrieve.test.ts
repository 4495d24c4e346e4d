import { expect, test } from 'vitest';
import { retrieve } from '../../src/retrieval/retrieve.ts';
import { hashEmbedder } from '../support/hash-embedder.ts';
import { indexOf } from '../support/filled-index.ts';
import { scriptedChatModel } from '../support/scripted-chat-model.ts';

const terms = (text: string) => text.toLowerCase().match(/\w+/g) ?? [];
const request = { question: 'slices', tenant: 'default', index: 'documents', passages: 3, terms };
const texts = ['Chunks are slices.', 'Aliases move.', 'Documents vanish.'];

test('each stage that ran has its own timing, and no other', async () => {
  const embedder = hashEmbedder();
  const vectorIndex = await indexOf(texts, embedder);
  const bare = await retrieve(request, { embedder, vectorIndex, reranker: null, model: null });
  expect(Object.keys(bare.timings)).toEqual(['search', 'fuse']);
  const reranker = { identity: 'longest', score: async (_: string, passages: readonly string[]) => passages.map(({ length }) => length) };
  const model = scriptedChatModel('pieces', '{}');
  const facets = { authors: [], platforms: ['file'] };
  const full = await retrieve({ ...request, facets }, { embedder, vectorIndex, reranker, model });
  expect(Object.keys(full.timings)).toEqual(['expand', 'self-query', 'search', 'fuse', 'rerank']);
  expect(full.wordings).toEqual(['slices', 'pieces']);
});

test('a reranker orders what fusion found', async () => {
  const embedder = hashEmbedder();
  const reranker = {
    identity: 'moves',
    score: async (_: string, passages: readonly string[]) => passages.map((text) => (text.includes('move') ? 1 : 0)),
  };
  const { hits } = await retrieve(request, { embedder, vectorIndex: await indexOf(texts, embedder), reranker, model: null });
  expect(hits[0]!.payload.text).toBe('Aliases move.');
});

test('a hard filter holds whatever a model derives', async () => {
  const embedder = hashEmbedder();
  const { hits } = await retrieve(
    { ...request, filter: { documents: ['d1'] } },
    { embedder, vectorIndex: await indexOf(texts, embedder), reranker: null, model: scriptedChatModel('anything') },
  );
  expect(hits.map(({ payload }) => payload.document)).toEqual(['d1']);
});

test('an empty question is refused before anything is asked of the index', async () => {
  const embedder = hashEmbedder();
  const vectorIndex = await indexOf(texts, embedder);
  await expect(retrieve({ ...request, question: ' ' }, { embedder, vectorIndex, reranker: null, model: null })).rejects.toMatchObject({
    problem: { reason: 'empty-question', message: 'The question is empty', hint: 'Ask one: twin ask "…"', exit: 2 },
  });
});
