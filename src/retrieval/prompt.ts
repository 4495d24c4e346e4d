import type { AnswerPassage } from '../contracts/results.ts';

/**
 * The instruction for an answer out of passages, numbered as they may be cited. Passages beyond `budget` characters are left out, whole;
 * only the first, where it alone is too long, is cut to it.
 */
export function answerInstruction(question: string, passages: readonly AnswerPassage[], budget: number): string {
  const shown: string[] = [];
  let left = budget;
  for (const [index, passage] of passages.entries()) {
    const text = `[${index + 1}] ${passage.heading === '' ? (passage.title ?? passage.address) : passage.heading}\n${passage.text}`;
    if (text.length > left && index > 0) break;
    left -= text.length;
    shown.push(text.slice(0, budget).toWellFormed());
  }
  return `Answer the question from the passages, and cite them by number.\n\n${shown.join('\n\n')}\n\nQuestion: ${question}`;
}
