import { expect, test } from 'vitest';
import { sha256 } from '../../../src/contracts/digest.ts';
import { measureRetrieval } from '../../../steps/evaluation/measure-retrieval.ts';
import { indexOf } from '../../support/filled-index.ts';
import { hashEmbedder } from '../../support/hash-embedder.ts';
import { runStep } from '../../support/step-rig.ts';

const index = { index: 'documents', generation: 'documents-1', documents: 3, points: 3, setHash: sha256('set') };
const texts = ['Chunks are exact slices of text.', 'Aliases move by compare and swap.', 'Gates refuse a set with faults.'];
const question = (position: number, said: string) => ({
  id: `question-${position}`,
  question: said,
  document: `d${position}`,
  headings: ['Heading'],
  start: 0,
  end: 10,
  sources: [{ document: `d${position}`, revision: sha256(String(position)) }],
});

async function measure(questions: readonly ReturnType<typeof question>[], params = {}) {
  const embedder = hashEmbedder();
  const ports = { embedder, reranker: null, vectorIndex: await indexOf(texts, embedder) };
  return (await runStep(measureRetrieval, { inputs: { questions, index }, params, ports })).outputs['retrieval'];
}

test('questions in the words of their section find it first', async () => {
  expect(await measure(texts.map((text, position) => question(position, text)))).toEqual({
    questions: 3,
    recallAt: { '1': 1, '5': 1, '10': 1 },
    meanReciprocalRank: 1,
    ndcg10: 1,
  });
});

test('a section whose words another one has comes later', async () => {
  const scores = await measure([question(0, texts[1]!)], { cutOffs: [1, 3] });
  expect(scores).toMatchObject({ questions: 1, recallAt: { '1': 0, '3': 1 } });
});

test('no question measures nothing', async () => {
  expect(await measure([])).toMatchObject({ questions: 0, meanReciprocalRank: 0 });
});
