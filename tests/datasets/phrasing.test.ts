import { expect, test } from 'vitest';
import { phraseContinuation, phraseInstruction, subjectOf } from '../../src/datasets/phrasing.ts';

test('the heading that repeats the title is left out', () => {
  expect(subjectOf('Guide', ['guide', 'Chunks', 'Overlap'])).toEqual({ title: 'Guide', path: ['Chunks', 'Overlap'] });
});

test('without a title the outermost heading is one', () => {
  expect(subjectOf(null, ['Guide', 'Chunks'])).toEqual({ title: 'Guide', path: ['Chunks'] });
  expect(subjectOf(null, ['Chunks'])).toEqual({ title: null, path: ['Chunks'] });
  expect(subjectOf(null, [])).toBeNull();
});

test('the words vary with the key and are the same for the same key', () => {
  const subject = { title: 'Guide', path: ['Chunks'] };
  const phrases = new Set(Array.from({ length: 40 }, (_, key) => phraseInstruction(subject, String(key))));
  expect([...phrases].toSorted()).toEqual([
    'Explain "Chunks" as "Guide" does.',
    'I am reading "Guide". What should I know about "Chunks"?',
    'Tell me about "Chunks", from "Guide".',
    'What does "Guide" say about "Chunks"?',
    'Write what stands under "Chunks" in "Guide".',
  ]);
  expect(phraseInstruction(subject, 'key')).toBe(phraseInstruction(subject, 'key'));
});

test('a heading that asks is the question', () => {
  expect(phraseInstruction({ title: 'Guide', path: ['Chunks', 'Why overlap?'] }, '')).toBe('Why overlap? ("Guide > Chunks")');
  expect(phraseInstruction({ title: null, path: ['Why overlap?'] }, '')).toBe('Why overlap?');
});

test('the text before any heading is asked for by the title', () => {
  expect(phraseInstruction({ title: 'Guide', path: [] }, 'a')).toContain('"Guide"');
});

test('a continuation quotes the last sentence before it, or the last words of a long one', () => {
  const subject = { title: 'Guide', path: ['Chunks'] };
  expect(phraseContinuation(subject, 'First. Chunks are cut at blank lines.', '1')).toMatch(
    /"Guide > Chunks".*"Chunks are cut at blank lines\."$/,
  );
  expect(phraseContinuation(subject, 'word '.repeat(100), '1')).toMatch(/"… (word ){10,24}word"$/);
});
