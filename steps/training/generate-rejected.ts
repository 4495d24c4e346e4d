import { z } from 'zod';
import { folder, rows } from '../../src/contracts/artifact.ts';
import { AnswerRow, GenerateAnswersParams, PromptRow } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Lets the SFT model answer the prompts: answers to reject beside the author's own. */
export const generateRejected = defineJobStep({
  name: 'generate-rejected',
  version: 1,
  summary: 'Let the SFT model write the answers to reject',
  job: 'generate-answers',
  // Sampled, as the model would answer people: greedy decoding of a weak model repeats itself, and nothing is learned from that.
  params: GenerateAnswersParams.extend({ temperature: z.number().nonnegative().default(0.8) }),
  inputs: { model: folder('sft-model'), prompts: rows('rejection-prompts', PromptRow) },
  outputs: { answers: rows('rejected-answers', AnswerRow) },
  pool: 'training',
});
