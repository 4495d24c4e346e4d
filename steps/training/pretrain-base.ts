import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { PretrainTinyParams, TrainingSummary } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** The base of all that follows: the one that was chosen, as it is, or a small one from nothing, so that all is real on a CPU. */
export const pretrainBase = defineJobStep({
  name: 'pretrain-base',
  version: 2,
  summary: 'Pretrain a tiny base on the documents, or take the one that was chosen',
  job: 'pretrain-tiny',
  params: PretrainTinyParams,
  inputs: { start: folder('start-model'), documents: rows('pretraining-documents', CleanDocument) },
  outputs: { model: folder('base-model'), summary: json('base-summary', TrainingSummary) },
  pool: 'training',
});
