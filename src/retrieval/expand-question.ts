import type { ChatModel } from '../ports/chat-model.ts';

/** Asks a chat model for other wordings of a question; the question itself comes first, and empty or equal wordings are left out. */
export async function expandQuestion(question: string, model: ChatModel, wordings: number, signal?: AbortSignal): Promise<string[]> {
  const reply = await model.answer({
    instruction:
      `Write ${wordings} different wordings of the question below, for searching documents. ` +
      `One a line, without numbers or any other text.\n\nQuestion: ${question}`,
    maxNewTokens: 64 * wordings,
    temperature: 0,
    seed: 7,
    ...(signal && { signal }),
  });
  const others = reply.text.split('\n').map((line) => line.replace(/^\s*(?:[-*]|\d+[.)])\s*/, '').trim());
  return [...new Set([question, ...others.filter((line) => line !== '')])].slice(0, 1 + wordings);
}
