import { describe, expect, test } from 'vitest';
import { answerQuestion } from '../../src/retrieval/answer.ts';
import { hashEmbedder } from '../support/hash-embedder.ts';
import { indexOf } from '../support/filled-index.ts';
import { scriptedChatModel } from '../support/scripted-chat-model.ts';

const request = {
  tenant: 'default',
  index: 'documents',
  passages: 2,
  answerer: null,
  terms: (text: string) => text.toLowerCase().match(/\w+/g) ?? [],
};
const texts = ['Vanished documents are marked.', 'An alias moves by compare-and-swap.', 'Chunks are exact slices.'];

async function ports() {
  const embedder = hashEmbedder();
  return { embedder, vectorIndex: await indexOf(texts, embedder), reranker: null, model: null };
}

describe('answering a question', () => {
  test('without a model, the passages are the answer', async () => {
    const { answer } = await answerQuestion({ ...request, question: 'When are documents marked?' }, await ports());
    expect(answer).toMatchObject({ type: 'answer', answer: null, model: null });
    expect(answer.passages).toHaveLength(2);
    expect(answer.passages.map(({ text }) => text)).toContain('Vanished documents are marked.');
    expect(Object.keys(answer.timings)).toEqual(['search', 'fuse']);
  });

  test('with a model, it is shown numbered passages and its words come back with what they cite', async () => {
    const answerer = scriptedChatModel('They are marked [1].');
    const { answer } = await answerQuestion({ ...request, question: 'What about vanished documents?', answerer }, await ports());
    expect(answer).toMatchObject({ answer: 'They are marked [1].', model: 'scripted' });
    expect(answerer.asked[0]!.instruction).toContain('[1] ');
    expect(answerer.asked[0]!.instruction).toContain('Question: What about vanished documents?');
  });

  test('a question of search syntax alone is only words', async () => {
    const { answer } = await answerQuestion({ ...request, question: '"AND (OR NEAR/3 * : ^ -- \' ") NOT {}[]' }, await ports());
    expect(answer.passages.length).toBeGreaterThan(0);
  });

  test('another tenant sees nothing', async () => {
    const { answer } = await answerQuestion({ ...request, tenant: 'other', question: 'documents' }, await ports());
    expect(answer.passages).toEqual([]);
  });

  test('an index that was never filled says how to fill it', async () => {
    await expect(answerQuestion({ ...request, index: 'nothing', question: 'Why?' }, await ports())).rejects.toMatchObject({
      problem: { reason: 'no-index', message: "There is no index 'nothing' yet", hint: 'Fill it with: twin run feature-pipeline', exit: 1 },
    });
  });
});
