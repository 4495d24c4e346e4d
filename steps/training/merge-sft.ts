import { folder, json } from '../../src/contracts/artifact.ts';
import { MergeAdapterParams, MergeSummary } from '../../src/contracts/jobs.ts';
import { defineJobStep } from '../../src/engine/define.ts';

/** Merges the SFT adapter into the base, and proves that both answer alike. */
export const mergeSft = defineJobStep({
  name: 'merge-sft',
  version: 1,
  summary: 'Merge the SFT adapter into the base',
  job: 'merge-adapter',
  params: MergeAdapterParams,
  inputs: { base: folder('base-model'), adapter: folder('sft-adapter') },
  outputs: { model: folder('sft-model'), summary: json('sft-merge', MergeSummary) },
  pool: 'training',
});
