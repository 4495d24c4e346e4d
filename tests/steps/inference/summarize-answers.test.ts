import { expect, test } from 'vitest';
import type { AnsweredQuestion } from '../../../src/contracts/inference.ts';
import { summarizeAnswers } from '../../../steps/inference/summarize-answers.ts';
import { runStep } from '../../support/step-rig.ts';

const answer = (id: string, outputTokens: number, latencyMs: number): AnsweredQuestion => ({
  id,
  question: `${id}?`,
  answer: 'Because.',
  model: 'twin@1',
  passages: [],
  sources: [],
  promptTokens: 20,
  outputTokens,
  retrievalMs: 1,
  timeToFirstTokenMs: outputTokens === 0 ? null : 10,
  timePerOutputTokenMs: outputTokens < 2 ? null : (latencyMs - 10) / (outputTokens - 1),
  latencyMs,
});

test('adds tokens up and leaves out what an answer does not have', async () => {
  const { outputs } = await runStep(summarizeAnswers, { inputs: { answers: [answer('a', 3, 30), answer('b', 0, 5)] } });
  expect(outputs.summary).toEqual({
    model: 'twin@1',
    questions: 2,
    cited: 0,
    outputTokens: 3,
    timeToFirstTokenMs: { median: 10, percentile95: 10 },
    timePerOutputTokenMs: { median: 10, percentile95: 10 },
    latencyMs: { median: 5, percentile95: 30 },
  });
});
