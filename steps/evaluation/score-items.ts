import { folder, rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { ItemScore } from '../../src/contracts/evaluation.ts';
import { ScoreItemsParams } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Scores every held-out item under every compared model. */
export const scoreItems = defineJobStep({
  name: 'score-items',
  version: 1,
  summary: 'Score the frozen set under every compared model',
  job: 'score-items',
  params: ScoreItemsParams,
  inputs: {
    base: folder('base-model'),
    sft: folder('sft-model'),
    candidate: folder('candidate-model'),
    incumbent: folder('incumbent-model'),
    items: rows('test-samples', InstructionSample),
  },
  outputs: { scores: rows('item-scores', ItemScore) },
  pool: 'training',
});
