import { expect, test } from 'vitest';
import { backTranslateDocument, backTranslationPrompt, parseBackTranslation } from '../../src/datasets/back-translation.ts';
import { sections } from '../../src/text/structure.ts';
import { cleanDocument } from '../support/dataset-rows.ts';

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

const text = '# Guide\n\n## Chunks\n\nA chunk fits the window of the embedder.\n\n## Overlap\n\nChunks overlap by a sliding window.';

async function backTranslate(replies: readonly string[]) {
  const document = cleanDocument(text);
  const prompts: string[] = [];
  const sampled = await backTranslateDocument(
    document,
    sections(document),
    { minimumCharacters: 20, maximumCharacters: 200 },
    async (prompt) => {
      prompts.push(prompt);
      return replies[prompts.length - 1]!;
    },
  );
  return { sampled, prompts };
}

test('the model’s instruction goes before the author’s own text', async () => {
  const { sampled, prompts } = await backTranslate([
    '{"instruction": "What must a chunk fit?"}',
    '{"instruction": "How do chunks overlap?"}',
  ]);
  expect(prompts).toHaveLength(2);
  expect(sampled.samples.map(({ instruction, answer, method }) => [instruction, answer, method])).toEqual([
    ['What must a chunk fit?', 'A chunk fits the window of the embedder.', 'back-translation'],
    ['How do chunks overlap?', 'Chunks overlap by a sliding window.', 'back-translation'],
  ]);
});

test.each([
  ['no JSON', 'What must a chunk fit?', 'no-json'],
  ['a text that nobody sees', '{"instruction": "What does the extract say?"}', 'dangling-reference'],
  ['a slot', '{"instruction": "What is {topic}?"}', 'placeholder'],
  ['what was asked before', '{"instruction": "How do chunks overlap?"}', 'repeated-instruction'],
])('a reply with %s is skipped and counted', async (_case, reply, reason) => {
  const { sampled } = await backTranslate(['{"instruction": "How do chunks overlap?"}', reply]);
  expect(sampled.samples).toHaveLength(1);
  expect(sampled.skipped).toEqual({ [reason]: 1 });
});
