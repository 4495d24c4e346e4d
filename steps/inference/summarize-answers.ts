import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { AnsweredQuestion, InferenceSummary } from '../../src/contracts/inference.ts';
import { defineStep } from '../../src/engine/define.ts';
import { percentiles } from '../../src/inference/latency.ts';

/** Adds up what a batch of answers cost. */
export const summarizeAnswers = defineStep({
  name: 'summarize-answers',
  version: 1,
  summary: 'Add up tokens and latencies of the answers',
  params: z.strictObject({}),
  inputs: { answers: rows('answered-questions', AnsweredQuestion) },
  outputs: { summary: json('inference-summary', InferenceSummary) },
  async run({ inputs, outputs }) {
    const answers: AnsweredQuestion[] = [];
    for await (const answer of inputs.answers) answers.push(answer);
    const present = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);
    await outputs.summary.write({
      model: answers[0]?.model ?? 'none',
      questions: answers.length,
      cited: answers.filter(({ passages }) => passages.length > 0).length,
      outputTokens: answers.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
      timeToFirstTokenMs: percentiles(present(answers.map((answer) => answer.timeToFirstTokenMs))),
      timePerOutputTokenMs: percentiles(present(answers.map((answer) => answer.timePerOutputTokenMs))),
      latencyMs: percentiles(answers.map((answer) => answer.latencyMs)),
    });
  },
});
