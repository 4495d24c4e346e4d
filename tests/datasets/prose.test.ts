import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasSentence, withoutCode } from '../../src/datasets/prose.ts';

test('code becomes blanks and everything else stays where it is', () => {
  const text = 'Run `twin run` so:\n\n```sh\ntwin run\n```\n\n    indented\n\nDone.';
  expect(withoutCode(text)).toBe(`Run ${' '.repeat(10)} so:\n\n     \n        \n   \n\n            \n\nDone.`);
});

test('an unclosed fence is code to the end, as CommonMark has it', () => {
  expect(withoutCode('a\n```\nb\n\nc').trim()).toBe('a');
});

test('the length never changes', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('`', '``', '```', '~~~', '\n', ' ', '    ', 'a', '>', '- ', '😀') }), (text) => {
      expect(withoutCode(text)).toHaveLength(text.length);
    }),
  );
});

describe('a sentence', () => {
  test.each(['A chunk fits the embedder.', 'Do these three things now:\n\n- one', '这是一个完整的句子。', '"Is it really that simple?"'])(
    'is seen in %j',
    (text) => {
      expect(hasSentence(withoutCode(text))).toBe(true);
    },
  );

  test.each([
    '- [One link](http://a.b/c)\n- [Two](d)',
    'Comments\n\nRestacks\n\nTop',
    '```\nThis is not a sentence here.\n```',
    '| a | b |',
    '',
  ])('is not seen in %j', (text) => {
    expect(hasSentence(withoutCode(text))).toBe(false);
  });
});
