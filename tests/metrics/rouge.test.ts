import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rougeL, rougeSignature, rougeTokenizerFor, rougeTokens } from '../../src/metrics/rouge.ts';
import fixtures from '../fixtures/rouge-score-0.1.2.json' with { type: 'json' };

test.each(fixtures)(
  'ROUGE-L of "$generated" against "$reference" is that of rouge-score 0.1.2',
  ({ reference, generated, precision, recall, f1 }) => {
    const score = rougeL(reference, generated, 'rouge-score');
    expect(score.precision).toBeCloseTo(precision, 12);
    expect(score.recall).toBeCloseTo(recall, 12);
    expect(score.f1).toBeCloseTo(f1, 12);
  },
);

test('a text with words scores 1 against itself', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z ]{0,20}[a-z]$/), (text) => {
      expect(rougeL(text, text, 'rouge-score').f1).toBe(1);
    }),
  );
});

test('swapping the texts swaps precision and recall', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ab ]{0,12}$/), fc.stringMatching(/^[ab ]{0,12}$/), (left, right) => {
      expect(rougeL(left, right, 'rouge-score').precision).toBe(rougeL(right, left, 'rouge-score').recall);
    }),
  );
});

describe('other scripts', () => {
  test('Greek scores 0 against itself with the tokenizer of rouge-score, and 1 with Unicode words', () => {
    expect(rougeL('Καλημέρα κόσμε', 'Καλημέρα κόσμε', 'rouge-score').f1).toBe(0);
    expect(rougeL('Καλημέρα κόσμε', 'Καλημέρα κόσμε', 'unicode-words').f1).toBe(1);
  });

  test('a script without spaces is compared by character', () => {
    expect(rougeTokens('模型 v2 训练', 'unicode-words')).toEqual(['模', '型', 'v2', '训', '练']);
  });

  test('the tokenizer is chosen for the corpus', () => {
    expect(rougeTokenizerFor(['A résumé of the naïve method, in English for the most part.'])).toBe('rouge-score');
    expect(rougeTokenizerFor(['Обучение модели', 'Training the model'])).toBe('unicode-words');
    expect(rougeTokenizerFor([])).toBe('rouge-score');
  });
});

test('the signature tells figures apart that do not compare', () => {
  expect(rougeSignature('rouge-score')).toBe('rouge-l|tokenizer:rouge-score|stemmer:none|beta:1|version:1');
  expect(rougeSignature('unicode-words')).not.toBe(rougeSignature('rouge-score'));
});
