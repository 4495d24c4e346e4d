import { expect, test } from 'vitest';
import { backTranslationPrompt, parseBackTranslation } from '../../src/datasets/back-translation.ts';

test('the prompt holds the answer, where it stands, and no slot of its own', () => {
  const prompt = backTranslationPrompt(
    { title: 'Guide' },
    { text: 'Chunks are slices.', start: 0, end: 18, headings: ['Chunks'], subject: { title: 'Guide', path: ['Chunks'] }, previous: null },
  );
  expect(prompt).toContain('Where it stands: Guide > Chunks\nThe answer:\nChunks are slices.');
});

test.each([
  ['{"instruction": "What is a chunk?"}'],
  ['Sure! Here it is:\n```json\n{"instruction": " What is\\n a chunk? "}\n```\nAnything else?'],
  ['{"instruction": "What is a chunk?", "language": {"code": "en"}}'],
])('the instruction is read out of %j', (reply) => {
  expect(parseBackTranslation(reply)).toEqual({ ok: true, value: 'What is a chunk?' });
});

test('braces inside the instruction do not end it', () => {
  expect(parseBackTranslation('{"instruction": "What does {} mean?"}')).toEqual({ ok: true, value: 'What does {} mean?' });
});

test.each([
  ['What is a chunk?', 'no-json'],
  ['{"instruction": "broken', 'no-json'],
  ['} {', 'no-json'],
  ['', 'no-json'],
  ['{"question": "What?"}', 'no-instruction'],
  ['{"instruction": "  "}', 'no-instruction'],
])('%j gives none, for the reason %s', (reply, error) => {
  expect(parseBackTranslation(reply)).toEqual({ ok: false, error });
});
