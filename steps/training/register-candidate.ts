import { z } from 'zod';
import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { DatasetVersion, InstructionSample, PreferencePair } from '../../src/contracts/dataset.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { MergeSummary, TrainingSummary } from '../../src/contracts/jobs.ts';
import { ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { readAlias } from '../../src/registry/aliases.ts';
import { datasetReference } from '../../src/registry/datasets.ts';
import { registerTraining } from '../../src/registry/register-training.ts';

/** Registers base, SFT and DPO as versions with their lineage, and points the alias `candidate` at the last. */
export const registerCandidate = defineStep({
  name: 'register-candidate',
  version: 1,
  summary: 'Register the versions and name the candidate',
  params: z.strictObject({ name: z.string().default('twin') }),
  inputs: {
    dataset: json('dataset-version', DatasetVersion),
    documents: rows('pretraining-documents', CleanDocument),
    /** The version that was chosen as the base; null where one was pretrained. */
    choice: json('base-choice', ResolvedModel),
    base: folder('base-model'),
    baseSummary: json('base-summary', TrainingSummary),
    train: rows('train-samples', InstructionSample),
    sftAdapter: folder('sft-adapter'),
    sftSummary: json('sft-summary', TrainingSummary),
    sftModel: folder('sft-model'),
    sftMerge: json('sft-merge', MergeSummary),
    pairs: rows('preference-pairs', PreferencePair),
    dpoAdapter: folder('dpo-adapter'),
    dpoSummary: json('dpo-summary', TrainingSummary),
    dpoModel: folder('dpo-model'),
    dpoMerge: json('dpo-merge', MergeSummary),
  },
  outputs: { candidate: json('candidate', ResolvedModel) },
  needs: ['metadataStore'],
  effect: (params) => `model:${params.name}`,
  async observe({ params, ports }) {
    return (await readAlias(ports.metadataStore, params.name, 'candidate')).target ?? 'none';
  },
  async run({ params, inputs, inputDigests, outputs, ports, run }) {
    const candidate = await registerTraining(
      ports.metadataStore,
      {
        name: params.name,
        dataset: datasetReference(inputs.dataset),
        chosen: inputs.choice.model,
        base: { weights: inputDigests.base, data: inputDigests.documents, summary: inputs.baseSummary },
        sft: {
          weights: inputDigests.sftModel,
          adapter: inputDigests.sftAdapter,
          data: inputDigests.train,
          summary: inputs.sftSummary,
          merge: inputs.sftMerge,
        },
        dpo: {
          weights: inputDigests.dpoModel,
          adapter: inputDigests.dpoAdapter,
          data: inputDigests.pairs,
          summary: inputs.dpoSummary,
          merge: inputs.dpoMerge,
        },
      },
      run,
    );
    await outputs.candidate.write({ alias: 'candidate', model: candidate });
  },
});
