import { expect, test } from 'vitest';
import { wordRuns, wordsOf } from '../../src/datasets/words.ts';

test('words are compared without case, accents and punctuation', () => {
  expect(wordsOf('The **Café**, re-opened: 3×!')).toEqual(['the', 'cafe', 're', 'opened', '3']);
});

test('each character of a script without spaces is a word', () => {
  expect(wordsOf('训练 model')).toEqual(['训', '练', 'model']);
});

test('runs of words are distinct, and a short text is one run', () => {
  expect([...wordRuns(['a', 'b', 'a', 'b', 'c'], 2)]).toEqual(['a b', 'b a', 'b c']);
  expect([...wordRuns(['a', 'b'], 5)]).toEqual(['a b']);
  expect([...wordRuns([], 5)]).toEqual([]);
});
