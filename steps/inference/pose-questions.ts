import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { PosedQuestion, Question } from '../../src/contracts/inference.ts';
import { ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { IndexState } from '../../src/contracts/index-state.ts';
import { modelReference } from '../../src/registry/models.ts';

/** Puts beside each question what its answer depends on, so that an item is answered again only when one of these changed. */
export const poseQuestions = defineStep({
  name: 'pose-questions',
  version: 1,
  summary: 'Put questions, champion and index together',
  params: z.strictObject({
    tenant: z.string().default('default'),
    passages: z.int().positive().default(3),
    maxNewTokens: z.int().positive().default(64),
  }),
  inputs: { questions: rows('questions', Question), champion: json('champion', ResolvedModel), index: json('index-state', IndexState) },
  outputs: { questions: rows('posed-questions', PosedQuestion) },
  async run({ inputs, outputs, params }) {
    const model = inputs.champion.model!;
    const { index, generation, setHash } = inputs.index;
    for await (const question of inputs.questions) {
      await outputs.questions.write({
        ...question,
        model: modelReference(model),
        weights: model.weights,
        index,
        generation,
        setHash,
        ...params,
      });
    }
  },
});
