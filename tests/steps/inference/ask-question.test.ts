import { expect, test } from 'vitest';
import { sha256 } from '../../../src/contracts/digest.ts';
import { askQuestion } from '../../../steps/inference/ask-question.ts';
import { indexOf } from '../../support/filled-index.ts';
import { hashEmbedder } from '../../support/hash-embedder.ts';
import { scriptedChatModel, scriptedChatModels } from '../../support/scripted-chat-model.ts';
import { runStep } from '../../support/step-rig.ts';

test('shows the passages where no chat model is configured', async () => {
  const embedder = hashEmbedder();
  const ports = {
    embedder,
    reranker: null,
    vectorIndex: await indexOf(['Because it is.'], embedder),
    chatModels: scriptedChatModels(scriptedChatModel()),
  };
  const index = { index: 'documents', generation: 'documents-1', documents: 1, points: 1, setHash: sha256('set') };
  const { outputs } = await runStep(askQuestion, { inputs: { index }, params: { question: 'Why?' }, ports });
  expect(outputs.answer).toMatchObject({ question: 'Why?', answer: null, model: null, passages: [{ document: 'd0', heading: 'Heading' }] });
});
