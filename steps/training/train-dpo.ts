import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { PreferencePair } from '../../src/contracts/dataset.ts';
import { TrainDpoParams, TrainingSummary } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Tunes exactly the given SFT adapter on preference pairs. */
export const trainDpo = defineJobStep({
  name: 'train-dpo',
  version: 1,
  summary: 'Tune the SFT adapter on preference pairs (DPO)',
  job: 'train-dpo',
  params: TrainDpoParams,
  inputs: { base: folder('base-model'), adapter: folder('sft-adapter'), pairs: rows('preference-pairs', PreferencePair) },
  outputs: { adapter: folder('dpo-adapter'), summary: json('dpo-summary', TrainingSummary) },
  pool: 'training',
});
