import { expect, test } from 'vitest';
import { sha256 } from '../../../src/contracts/digest.ts';
import type { PosedQuestion } from '../../../src/contracts/inference.ts';
import type { ArtifactStore } from '../../../src/ports/artifact-store.ts';
import { answerQuestions } from '../../../steps/inference/answer-questions.ts';
import { indexOf } from '../../support/filled-index.ts';
import { hashEmbedder } from '../../support/hash-embedder.ts';
import { scriptedChatModel, scriptedChatModels } from '../../support/scripted-chat-model.ts';
import { mapRow } from '../../support/step-rig.ts';

test('answers from the passages, and says what each token cost', async () => {
  const embedder = hashEmbedder();
  const posed: PosedQuestion = {
    id: '1',
    question: 'Why?',
    model: 'twin@1',
    weights: sha256('weights'),
    tenant: 'default',
    index: 'documents',
    generation: 'documents-1',
    setHash: sha256('set'),
    passages: 1,
    maxNewTokens: 8,
  };
  const artifactStore = { localPath: async () => '/weights' } as unknown as ArtifactStore;
  const ports = {
    embedder,
    artifactStore,
    reranker: null,
    vectorIndex: await indexOf(['Because it is.'], embedder),
    chatModels: scriptedChatModels(scriptedChatModel('Because')),
  };
  const { result } = await mapRow(answerQuestions, posed, { ports });
  expect(result).toMatchObject({
    answer: 'Because',
    model: 'twin@1',
    promptTokens: 10,
    outputTokens: 7,
    timeToFirstTokenMs: 2,
    timePerOutputTokenMs: 8 / 6,
    latencyMs: 10,
    sources: [{ document: 'd0' }],
  });
});
