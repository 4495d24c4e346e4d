import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { PretrainTinyParams, TrainingSummary } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Trains a small base from nothing, so that all that follows is real on a CPU. */
export const pretrainBase = defineJobStep({
  name: 'pretrain-base',
  version: 1,
  summary: 'Pretrain a tiny base model on the documents',
  job: 'pretrain-tiny',
  params: PretrainTinyParams,
  inputs: { documents: rows('pretraining-documents', CleanDocument) },
  outputs: { model: folder('base-model'), summary: json('base-summary', TrainingSummary) },
  pool: 'training',
});
