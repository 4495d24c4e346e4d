import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { TrainingSummary, TrainSftParams } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Tunes a LoRA adapter of the base on the instruction samples. */
export const trainSft = defineJobStep({
  name: 'train-sft',
  version: 1,
  summary: 'Tune the base on instruction samples (SFT, LoRA)',
  job: 'train-sft',
  params: TrainSftParams,
  inputs: {
    base: folder('base-model'),
    train: rows('train-samples', InstructionSample),
    validation: rows('validation-samples', InstructionSample),
  },
  outputs: { adapter: folder('sft-adapter'), summary: json('sft-summary', TrainingSummary) },
  pool: 'training',
});
