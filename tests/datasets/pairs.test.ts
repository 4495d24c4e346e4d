import { expect, test } from 'vitest';
import { pairOf } from '../../src/datasets/pairs.ts';
import { instructionSample, wordsFrom } from '../support/dataset-rows.ts';

const limits = { minimumCharacters: 20, maximumSimilarity: 0.7, lengthTolerance: 0.1 };
const sample = instructionSample({ answer: 'The first sentence has thirty. The second one is there to be cut away when needed.' });

test('the author’s text is chosen and the model’s rejected', () => {
  const generated = 'A model wrote this line of text, as long as that of the author or almost so, no more.';
  expect(pairOf(sample, `\n${generated} `, limits)).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    prompt: 'What is a chunk?',
    chosen: sample.answer,
    rejected: generated,
    document: 'document-1',
    sources: sample.sources,
  });
});

test('a longer author’s text is cut after a sentence', () => {
  expect(pairOf(sample, 'A short line from the model here', limits)).toMatchObject({
    chosen: 'The first sentence has thirty.',
    rejected: 'A short line from the model here',
  });
});

test('a longer answer of the model is cut after a word', () => {
  const pair = pairOf(instructionSample({ answer: 'The first sentence has thirty.' }), 'model words '.repeat(20), limits);
  expect(pair).toMatchObject({ chosen: 'The first sentence has thirty.', rejected: 'model words model words model' });
});

test.each([
  ['nothing was generated', undefined, 'no-answer'],
  ['the answer is blank', ' \n', 'empty-answer'],
  ['the answer is a stub', 'Yes.', 'too-short'],
  ['the answers are the same', sample.answer, 'near-equal'],
  ['the answers are nearly the same', sample.answer.replace('thirty', 'forty'), 'near-equal'],
])('there is no pair where %s', (_case, generated, reason) => {
  expect(pairOf(sample, generated, { ...limits, maximumSimilarity: 0.5 })).toBe(reason);
});

test('there is no pair where the author’s text has no sentence to be cut after, or only one inside code', () => {
  expect(pairOf(instructionSample({ answer: wordsFrom('w', 50) }), wordsFrom('m', 12), limits)).toBe('unequal-length');
  const code = instructionSample({ answer: `\`\`\`\nrun. it. now. and then so. ${wordsFrom('w', 50)}\n\`\`\`` });
  expect(pairOf(code, wordsFrom('m', 12), limits)).toBe('unequal-length');
});

test('there is no pair where the cut leaves a slot outside code', () => {
  const quoting = instructionSample({ answer: 'Call it as `render with {name}. Then {title}` and see what it does with both of them.' });
  expect(pairOf(quoting, wordsFrom('mod', 8), limits)).toBe('placeholder');
});
