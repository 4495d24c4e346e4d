import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { DistillationSummary, DistillModelParams } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Heals the pruned model: it learns the samples, and what the whole model makes of them. */
export const distillModel = defineJobStep({
  name: 'distill-model',
  version: 1,
  summary: 'Tune the pruned model on samples and on the whole model (distillation)',
  job: 'distill-model',
  params: DistillModelParams,
  inputs: {
    student: folder('pruned-model'),
    teacher: folder('teacher-model'),
    train: rows('train-samples', InstructionSample),
    validation: rows('validation-samples', InstructionSample),
  },
  outputs: { model: folder('distilled-model'), summary: json('distillation-summary', DistillationSummary) },
  pool: 'training',
});
