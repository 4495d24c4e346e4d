import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { RetrievalQuestion } from '../../src/contracts/dataset.ts';
import { RetrievalScores } from '../../src/contracts/evaluation.ts';
import { IndexState } from '../../src/contracts/index-state.ts';
import { defineStep } from '../../src/engine/define.ts';
import { rankingScores, sectionRanking, type Ranking } from '../../src/metrics/ranking.ts';
import { retrieve } from '../../src/retrieval/retrieve.ts';
import { lexicalTerms } from '../../src/text/lexical.ts';

const questionsAtOnce = 8;

/** Asks the index for sections by their headings, and counts how high they come; no chat model has a hand in it. */
export const measureRetrieval = defineStep({
  name: 'measure-retrieval',
  version: 1,
  summary: 'Measure how well retrieval finds the sections that headings ask for',
  params: z.strictObject({
    tenant: z.string().min(1).default('default'),
    /** The k of recall@k. */
    cutOffs: z.array(z.int().positive()).min(1).default([1, 5, 10]),
  }),
  inputs: { questions: rows('retrieval-questions', RetrievalQuestion), index: json('index-state', IndexState) },
  outputs: { retrieval: json('retrieval-scores', RetrievalScores) },
  needs: ['embedder', 'reranker', 'vectorIndex'],
  async run({ inputs, outputs, params, ports, signal, progress }) {
    const passages = Math.max(10, ...params.cutOffs);
    const { tenant } = params;
    const { index } = inputs.index;
    const rank = async (question: RetrievalQuestion): Promise<Ranking> => {
      const request = { question: question.question, tenant, index, passages, terms: lexicalTerms, signal };
      const { hits } = await retrieve(request, { ...ports, model: null });
      return sectionRanking(
        question,
        hits.map(({ payload }) => payload),
      );
    };
    const questions = await Array.fromAsync(inputs.questions);
    const rankings: Ranking[] = [];
    for (let start = 0; start < questions.length; start += questionsAtOnce) {
      rankings.push(...(await Promise.all(questions.slice(start, start + questionsAtOnce).map(rank))));
      progress(rankings.length, questions.length);
    }
    await outputs.retrieval.write(rankingScores(rankings, params.cutOffs));
  },
});
