import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { AnsweredQuestion, PosedQuestion } from '../../src/contracts/inference.ts';
import { defineMapStep } from '../../src/engine/define.ts';
import { timePerOutputToken } from '../../src/inference/latency.ts';
import { answerQuestion } from '../../src/retrieval/answer.ts';
import { lexicalTerms } from '../../src/text/lexical.ts';

/** Answers each question with its model from the passages that retrieval finds. */
export const answerQuestions = defineMapStep({
  name: 'answer-questions',
  version: 1,
  summary: 'Answer each question with the champion and retrieval',
  params: z.strictObject({
    /** Characters of passages in the prompt: what a small model's context holds beside the answer. */
    contextBudget: z.int().positive().default(800),
  }),
  input: rows('posed-questions', PosedQuestion),
  output: rows('answered-questions', AnsweredQuestion),
  needs: ['artifactStore', 'chatModels', 'embedder', 'reranker', 'vectorIndex'],
  async run({ row, params, ports, signal }) {
    const { embedder, reranker, vectorIndex } = ports;
    const folder = await ports.artifactStore.localPath('folder', row.weights);
    const answerer = await ports.chatModels.open({ folder, identity: row.model });
    const start = performance.now();
    const { answer, reply, hits } = await answerQuestion(
      {
        question: row.question,
        tenant: row.tenant,
        index: row.index,
        passages: row.passages,
        answerer,
        maxNewTokens: row.maxNewTokens,
        contextBudget: params.contextBudget,
        terms: lexicalTerms,
        signal,
      },
      { embedder, reranker, vectorIndex, model: ports.chatModels.configured },
    );
    const retrievalMs = performance.now() - start - (answer.timings['answer'] ?? 0);
    return {
      id: row.id,
      question: row.question,
      answer: answer.answer ?? '',
      model: row.model,
      passages: answer.passages,
      sources: hits.flatMap(({ payload }) => payload.sources),
      promptTokens: reply?.promptTokens ?? 0,
      outputTokens: reply?.outputTokens ?? 0,
      retrievalMs: Math.max(0, retrievalMs),
      timeToFirstTokenMs: reply?.timeToFirstTokenMs ?? null,
      timePerOutputTokenMs: reply ? timePerOutputToken(reply) : null,
      latencyMs: reply?.latencyMs ?? 0,
    };
  },
});
