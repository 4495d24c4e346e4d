import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { InstructionMethod, SampledDocument } from '../../src/contracts/dataset.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { ProblemError } from '../../src/contracts/problem.ts';
import { backTranslateDocument } from '../../src/datasets/back-translation.ts';
import { sampleDocument } from '../../src/datasets/instructions.ts';
import { defineMapStep } from '../../src/engine/define.ts';
import { sections } from '../../src/text/structure.ts';

/** Makes instruction samples of a document whose answers are the author's own text; its headings ask, or a chat model does. */
export const generateInstructions = defineMapStep({
  name: 'generate-instructions',
  version: 1,
  summary: 'Make instructions whose answers are the author’s own text',
  params: z.strictObject({
    method: InstructionMethod.default('heading-section'),
    /** Lengths of an answer in characters; a longer section gives several. */
    minimumCharacters: z.int().positive().default(80),
    maximumCharacters: z.int().positive().default(1200),
    /** Of the chat model, where the method asks one. */
    seed: z.int().nonnegative().default(7),
  }),
  input: rows('clean-documents', CleanDocument),
  output: rows('sampled-documents', SampledDocument),
  needs: ['chatModels'],
  async run({ row, params, ports, signal, count }) {
    const found = sections(row);
    const sampled = params.method === 'heading-section' ? sampleDocument(row, found, params) : await backTranslate();
    for (const [reason, amount] of Object.entries(sampled.skipped)) count(reason, amount);
    return sampled;

    async function backTranslate(): Promise<SampledDocument> {
      const model = ports.chatModels.configured;
      if (model === null) {
        throw new ProblemError({
          reason: 'no-chat-model',
          message: 'The method back-translation needs a chat model, and none is configured',
          where: 'generate-instructions.method',
          hint: 'Configure one, or set generate-instructions.method to heading-section',
          exit: 2,
        });
      }
      const options = { maxNewTokens: 200, temperature: 0, seed: params.seed, signal };
      return backTranslateDocument(row, found, params, async (instruction) => (await model.answer({ instruction, ...options })).text);
    }
  },
});
