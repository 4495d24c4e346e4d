import { expect, test } from 'vitest';
import { parseQuestions } from '../../src/inference/questions.ts';

test('reads one question a line, and JSON with ids, past comments and blank lines', () => {
  const { questions, rejected } = parseQuestions('# asked every night\n\nWhat is twin?\r\n{"id": "q2", "question": "Why?"}\n');
  expect(questions.map(({ question }) => question)).toEqual(['What is twin?', 'Why?']);
  expect(questions[1]!.id).toBe('q2');
  expect(rejected).toEqual([]);
});

test('gives the same question the same id wherever it stands', () => {
  expect(parseQuestions('Why?').questions[0]!.id).toBe(parseQuestions('What?\nWhy?').questions[1]!.id);
});

test('names the lines that hold no question, and goes on', () => {
  const { questions, rejected } = parseQuestions('{"question": 7}\n{broken\nWhy?\nWhy?');
  expect(questions).toHaveLength(1);
  expect(rejected).toEqual([
    { line: 1, message: 'not a question: expected text, or JSON with a string `question`' },
    { line: 2, message: 'not a question: expected text, or JSON with a string `question`' },
    { line: 4, message: 'the same question stands above' },
  ]);
});
