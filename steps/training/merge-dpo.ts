import { folder, json } from '../../src/contracts/artifact.ts';
import { MergeAdapterParams, MergeSummary } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Merges the DPO adapter into the base, and proves that both answer alike. */
export const mergeDpo = defineJobStep({
  name: 'merge-dpo',
  version: 1,
  summary: 'Merge the DPO adapter into the base',
  job: 'merge-adapter',
  params: MergeAdapterParams,
  inputs: { base: folder('base-model'), adapter: folder('dpo-adapter') },
  outputs: { model: folder('dpo-model'), summary: json('dpo-merge', MergeSummary) },
  pool: 'training',
});
