import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endOfPrefix } from '../../src/clients/key-range.ts';
import { keyTexts } from '../support/key-texts.ts';

const bytes = (text: string) => Buffer.from(text);

test('a prefix ends before the next code point, and the empty one never', () => {
  expect(endOfPrefix('run/')).toBe('run0');
  expect(endOfPrefix('a\u{10ffff}')).toBe('b');
  expect(endOfPrefix('\ud7ff')).toBe('\ue000');
  expect(endOfPrefix('')).toBeNull();
  expect(endOfPrefix('\u{10ffff}')).toBeNull();
});

test('a text lies between a prefix and its end exactly if it begins with the prefix', () => {
  fc.assert(
    fc.property(keyTexts, keyTexts, fc.boolean(), (prefix, other, joined) => {
      const candidate = joined ? prefix + other : other;
      const end = endOfPrefix(prefix);
      const within =
        Buffer.compare(bytes(candidate), bytes(prefix)) >= 0 && (end === null || Buffer.compare(bytes(candidate), bytes(end)) < 0);
      expect(within).toBe(bytes(candidate).subarray(0, bytes(prefix).length).equals(bytes(prefix)));
    }),
  );
});
