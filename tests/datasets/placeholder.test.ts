import { describe, expect, test } from 'vitest';
import { findDanglingReference, findPlaceholder } from '../../src/datasets/placeholder.ts';

describe('placeholders', () => {
  test.each([
    ['Summarize {extract} in one line.', '{extract}'],
    ['Dear {first name},', '{first name}'],
    ['Hello {{ user.name }}!', '{{ user.name }}'],
    ['Set ${HOME} first.', '${HOME}'],
    ['Write to <your-name> today.', '<your-name>'],
    ['Signed, <author name>', '<author name>'],
    ['On [insert date] we met.', '[insert date]'],
  ])('are found in "%s"', (text, placeholder) => {
    expect(findPlaceholder(text)?.text).toBe(placeholder);
  });

  test.each([
    'Call `format({extract})` with it.',
    'Before\n\n```ts\nconst prompt = `{extract}`;\n```\n\nafter.',
    '~~~\n<your-name>\n~~~',
    'As code:\n\n    use {name} here\n\nand on.',
    'Line one<br>line <sub>two</sub> <details>',
    'Let $x_{ij}$ be \\frac{ab}{cd}, and S the set {a, b}.',
    'See [your guide](guide.md), or <https://example.org>.',
    'The type Array<string> in prose.',
    'if (a < b && c > d) {',
  ])('are not seen in "%s"', (text) => {
    expect(findPlaceholder(text)).toBeNull();
  });

  test('the first one is told, with its place', () => {
    expect(findPlaceholder('a <b-c> {def}')).toEqual({ text: '<b-c>', at: 2 });
  });
});

describe('dangling references', () => {
  test.each([
    'What does the extract say about chunks?',
    'Summarize the provided text.',
    'According to the context, what is DPO?',
    'Which risks are mentioned in the passage?',
  ])('are found in "%s"', (text) => {
    expect(findDanglingReference(text)).not.toBeNull();
  });

  test.each(['What does DPO mean in the context of tuning?', 'How do I extract a table?', 'What is a context window?'])(
    'are not seen in "%s"',
    (text) => {
      expect(findDanglingReference(text)).toBeNull();
    },
  );
});
