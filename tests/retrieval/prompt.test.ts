import { describe, expect, test } from 'vitest';
import type { AnswerPassage } from '../../src/contracts/results.ts';
import { answerInstruction } from '../../src/retrieval/prompt.ts';

const passage = (text: string, heading = 'Seeds > Soil'): AnswerPassage => ({
  document: 'd',
  heading,
  start: 0,
  end: text.length,
  score: 1,
  address: 'file:seeds.md',
  title: 'On seeds',
  text,
});

describe('an instruction for an answer', () => {
  test('numbers its passages and names where each comes from', () => {
    expect(answerInstruction('Why?', [passage('They grow.'), passage('They rot.', '')], 1000)).toBe(
      'Answer the question from the passages, and cite them by number.\n\n' +
        '[1] Seeds > Soil\nThey grow.\n\n[2] On seeds\nThey rot.\n\nQuestion: Why?',
    );
  });

  test('leaves out what does not fit, whole, and all after it', () => {
    const text = answerInstruction('Why?', [passage('short'), passage('long '.repeat(50)), passage('short')], 60);
    expect(text).toContain('[1] ');
    expect(text).not.toContain('[2] ');
    expect(text).not.toContain('[3] ');
  });

  test('shows the beginning of the best passage where even that is too long', () => {
    expect(answerInstruction('Why?', [passage('abcdefgh', 'H'), passage('x')], 10)).toContain('[1] H\nabcd\n\nQuestion: Why?');
  });
});
