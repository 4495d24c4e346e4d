import type { AnswerPassage } from '../contracts/results.ts';

/** The instruction for an answer out of passages, numbered as they may be cited. Passages beyond `budget` characters are left out, whole. */
export function answerInstruction(question: string, passages: readonly AnswerPassage[], budget: number): string {
  const shown: string[] = [];
  let left = budget;
  for (const [index, passage] of passages.entries()) {
    const text = `[${index + 1}] ${passage.heading === '' ? (passage.title ?? passage.address) : passage.heading}\n${passage.text}`;
    if (text.length > left) break;
    left -= text.length;
    shown.push(text);
  }
  return `Answer the question from the passages, and cite them by number.\n\n${shown.join('\n\n')}\n\nQuestion: ${question}`;
}
