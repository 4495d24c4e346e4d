import { expect, test } from 'vitest';
import type { ChatModels } from '../../../src/ports/chat-model.ts';
import { generateInstructions } from '../../../steps/dataset/generate-instructions.ts';
import { cleanDocument } from '../../support/dataset-rows.ts';
import { mapRow } from '../../support/step-rig.ts';

const document = cleanDocument(
  '# Guide\n\n## Chunks\n\nA chunk is an exact slice of the cleaned text that fits the window of the embedder, special tokens deducted.\n\n## Code\n\nShort.',
);

const answering = (text: string): ChatModels => ({
  identity: 'scripted',
  configured: {
    identity: 'scripted',
    answer: async () => ({ text, promptTokens: 1, outputTokens: 1, timeToFirstTokenMs: 1, latencyMs: 1 }),
  },
  open: () => Promise.reject(new Error('not needed')),
});
const noModel: ChatModels = { identity: 'none', configured: null, open: () => Promise.reject(new Error('not needed')) };

test('needs no model for headings, and counts what it skips', async () => {
  const { result, counts } = await mapRow(generateInstructions, document, { ports: { chatModels: noModel } });
  expect(result).toMatchObject({ document: 'document-1', samples: [{ method: 'heading-section' }], skipped: { 'too-short': 1 } });
  expect(counts).toEqual({ 'too-short': 1 });
});

test('asks the configured model for back-translation', async () => {
  const { result } = await mapRow(generateInstructions, document, {
    params: { method: 'back-translation' },
    ports: { chatModels: answering('{"instruction": "What is a chunk?"}') },
  });
  expect(result).toMatchObject({ samples: [{ method: 'back-translation', instruction: 'What is a chunk?' }] });
});

test('refuses back-translation where no model is configured', async () => {
  const run = mapRow(generateInstructions, document, { params: { method: 'back-translation' }, ports: { chatModels: noModel } });
  await expect(run).rejects.toMatchObject({ problem: { reason: 'no-chat-model', exit: 2 } });
});
