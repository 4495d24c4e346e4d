import type { Answer, AnswerPassage } from '../contracts/results.ts';
import type { ChatModel, ChatReply } from '../ports/chat-model.ts';
import type { Hit } from '../ports/vector-index.ts';
import { answerInstruction } from './prompt.ts';
import { type RetrievalPorts, type RetrievalRequest, retrieve } from './retrieve.ts';

/** How the answer itself is made. */
export interface AnswerRequest extends RetrievalRequest {
  /** The model that answers; null for the passages alone. */
  readonly answerer: ChatModel | null;
  readonly maxNewTokens?: number;
  /** Characters of passages in the prompt. */
  readonly contextBudget?: number;
}

/** An answer, and the model's own account of it where a model answered. */
export interface Answered {
  readonly answer: Answer;
  readonly reply: ChatReply | null;
  readonly hits: readonly Hit[];
}

/** A hit as it is cited: document, heading and offsets, with the passage itself. */
export function passageOf({ payload, score }: Hit): AnswerPassage {
  const { document, headings, start, end, address, title, text } = payload;
  return { document, heading: headings.join(' > '), start, end, score, address, title, text };
}

/** Retrieves passages and lets the model answer from them; without a model the passages are the answer. */
export async function answerQuestion(request: AnswerRequest, ports: RetrievalPorts): Promise<Answered> {
  const { question, answerer, signal, maxNewTokens = 256, contextBudget = 6000 } = request;
  const retrieved = await retrieve(request, ports);
  const passages = retrieved.hits.map(passageOf);
  const start = performance.now();
  const reply =
    answerer && passages.length > 0
      ? await answerer.answer({
          instruction: answerInstruction(question, passages, contextBudget),
          maxNewTokens,
          temperature: 0,
          seed: 7,
          ...(signal && { signal }),
        })
      : null;
  return {
    answer: {
      type: 'answer',
      question,
      answer: reply?.text ?? null,
      passages,
      model: reply ? answerer!.identity : null,
      timings: { ...retrieved.timings, ...(reply && { answer: performance.now() - start }) },
    },
    reply,
    hits: retrieved.hits,
  };
}
