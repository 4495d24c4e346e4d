import { definePipeline } from '../src/engine/define.ts';
import { answerQuestions } from '../steps/inference/answer-questions.ts';
import { poseQuestions } from '../steps/inference/pose-questions.ts';
import { readQuestions } from '../steps/inference/read-questions.ts';
import { resolveChampion } from '../steps/inference/resolve-champion.ts';
import { resolveIndex } from '../steps/inference/resolve-index.ts';
import { summarizeAnswers } from '../steps/inference/summarize-answers.ts';

/** A file of questions, answered by the champion with retrieval; each answer is made again only when what it depends on changed. */
export const inferencePipeline = definePipeline({
  name: 'inference-pipeline',
  summary: 'Answer a file of questions with the champion and retrieval',
  inputs: { index: resolveIndex.outputs.index },
  build(pipeline, inputs) {
    const index = inputs.index ?? pipeline.step(resolveIndex, {}).index;
    const { champion } = pipeline.step(resolveChampion, {});
    const { questions } = pipeline.step(readQuestions, {});
    const posed = pipeline.step(
      poseQuestions,
      { questions, champion, index },
      { when: [champion, ({ model }) => (model === null ? 'no-champion' : true)] },
    );
    const answers = pipeline.step(answerQuestions, posed.questions);
    return { answers, ...pipeline.step(summarizeAnswers, { answers }) };
  },
});
