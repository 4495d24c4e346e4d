import { expect, test } from 'vitest';
import { chooseQuestions, questionsOf } from '../../src/datasets/questions.ts';
import { sections } from '../../src/text/structure.ts';
import { cleanDocument } from '../support/dataset-rows.ts';

const limits = { minimumCharacters: 20, maximumCharacters: 80 };

function questions(text: string) {
  const document = cleanDocument(text);
  return questionsOf(document, sections(document), limits);
}

test('a heading is asked for, and its whole section is what should be found', () => {
  const text =
    '# Guide\n\nBefore it all, a word.\n\n## Chunks\n\nA chunk fits the window of it.\n\nAnd a second paragraph that is longer than the limit allows for one answer.';
  const found = questions(text);
  expect(found.map(({ headings }) => headings)).toEqual([['Guide'], ['Guide', 'Chunks']]);
  expect(found[1]!.question).toContain('"Chunks"');
  expect([...text].slice(found[1]!.start, found[1]!.end).join('')).toMatch(/^A chunk fits[\s\S]*one answer\.$/);
});

test('a section that could not answer is not asked for', () => {
  expect(questions('## Chunks\n\n```\ncode\n```\n\n## Empty')).toEqual([]);
});

test('questions are chosen by hash, so that a larger set keeps most of the choice, and come sorted by id', () => {
  const all = Array.from({ length: 40 }, (_, index) => questions(`## Heading ${index}\n\nThis section is number ${index} of them.`)).flat();
  const chosen = chooseQuestions(all, 10);
  expect(chosen).toHaveLength(10);
  expect(chosen.map(({ id }) => id)).toEqual(chosen.map(({ id }) => id).toSorted());
  expect(chooseQuestions(all.toReversed(), 10)).toEqual(chosen);
  expect(chooseQuestions(chosen, 40)).toEqual(chosen);
});

test('a question that two sections would answer is not asked', () => {
  const [one] = questions('## Why so?\n\nBecause of the first of reasons.');
  const [other] = questions('## Why so?\n\nBecause of the other of reasons.');
  expect(chooseQuestions([one!, other!], 10)).toEqual([]);
});
