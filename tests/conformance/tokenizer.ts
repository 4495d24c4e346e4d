import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tokenizer } from '../../src/ports/tokenizer.ts';

/** What every tokenizer must do. */
export function tokenizerConformance(name: string, open: () => Promise<Tokenizer>): void {
  describe(`${name} keeps the contract of a tokenizer`, () => {
    let tokenizer: Tokenizer;
    beforeAll(async () => {
      tokenizer = await open();
    });

    test('it says which it is and how much fits', () => {
      expect(tokenizer.identity).toMatch(/\S/);
      expect(tokenizer.window).toBeGreaterThan(0);
    });

    test('nothing has no tokens, and neither has white space', () => {
      expect(['', ' ', '\n\t \u00a0'].map((text) => tokenizer.count(text))).toEqual([0, 0, 0]);
    });

    test('tokens of texts that white space separates add up', () => {
      const text = fc.string({ unit: 'grapheme' });
      fc.assert(
        fc.property(text, text, (left, right) => {
          expect(tokenizer.count(`${left}\n${right}`)).toBe(tokenizer.count(left) + tokenizer.count(right));
        }),
      );
    });

    test('a text counts the same each time', () => {
      fc.assert(
        fc.property(fc.string({ unit: 'binary' }), (text) => {
          expect(tokenizer.count(text)).toBe(tokenizer.count(text));
        }),
      );
    });
  });
}
