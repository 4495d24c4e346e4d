import { z } from 'zod';
import { json } from '../../src/contracts/artifact.ts';
import { IndexState } from '../../src/contracts/index-state.ts';
import { Answer } from '../../src/contracts/results.ts';
import { defineStep } from '../../src/engine/define.ts';
import { answerQuestion } from '../../src/retrieval/answer.ts';
import { lexicalTerms } from '../../src/text/lexical.ts';

/** Asks one question of an index: passages, and an answer in words where a chat model is configured. */
export const askQuestion = defineStep({
  name: 'ask-question',
  version: 1,
  summary: 'Ask a question and cite the passages that answer it',
  params: z.strictObject({
    question: z.string().min(1).default('What happens to a running training job when twin is killed?'),
    tenant: z.string().default('default'),
    passages: z.int().positive().default(5),
  }),
  inputs: { index: json('index-state', IndexState) },
  outputs: { answer: json('answer', Answer) },
  needs: ['chatModels', 'embedder', 'reranker', 'vectorIndex'],
  async run({ inputs, outputs, params, ports, signal }) {
    const { embedder, reranker, vectorIndex, chatModels } = ports;
    const model = chatModels.configured;
    const { answer } = await answerQuestion(
      { ...params, index: inputs.index.index, answerer: model, terms: lexicalTerms, signal },
      { embedder, reranker, vectorIndex, model },
    );
    await outputs.answer.write(answer);
  },
});
