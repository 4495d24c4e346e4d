import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { PruneModelParams, PruningSummary } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Takes out of the model what matters least. */
export const pruneModel = defineJobStep({
  name: 'prune-model',
  version: 1,
  summary: 'Prune the model: weights, neurons, heads or layers',
  job: 'prune-model',
  params: PruneModelParams,
  inputs: { model: folder('teacher-model'), samples: rows('train-samples', InstructionSample) },
  outputs: { model: folder('pruned-model'), summary: json('pruning-summary', PruningSummary) },
  pool: 'training',
});
