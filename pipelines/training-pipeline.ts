import { definePipeline } from '../src/engine/define.ts';
import { snapshotDocuments } from '../steps/dataset/snapshot-documents.ts';
import { cleanDocuments } from '../steps/feature/clean-documents.ts';
import { buildPreferencePairs } from '../steps/training/build-preference-pairs.ts';
import { gatePreferences } from '../steps/training/gate-preferences.ts';
import { generateRejected } from '../steps/training/generate-rejected.ts';
import { mergeDpo } from '../steps/training/merge-dpo.ts';
import { mergeSft } from '../steps/training/merge-sft.ts';
import { mixInstructions } from '../steps/training/mix-instructions.ts';
import { openDataset } from '../steps/training/open-dataset.ts';
import { posePrompts } from '../steps/training/pose-prompts.ts';
import { pretrainBase } from '../steps/training/pretrain-base.ts';
import { registerCandidate } from '../steps/training/register-candidate.ts';
import { resolveBase } from '../steps/training/resolve-base.ts';
import { resolveDataset } from '../steps/training/resolve-dataset.ts';
import { trainDpo } from '../steps/training/train-dpo.ts';
import { trainSft } from '../steps/training/train-sft.ts';
import { withholdDocuments } from '../steps/training/withhold-documents.ts';

/** A tiny base, SFT, rejected answers, DPO from exactly that SFT version, merges: a candidate in the registry. */
export const trainingPipeline = definePipeline({
  name: 'training-pipeline',
  summary: 'Tune a model on the latest dataset (SFT, then DPO) and register the candidate',
  inputs: { dataset: resolveDataset.outputs.dataset },
  build(pipeline, inputs) {
    const dataset = inputs.dataset ?? pipeline.step(resolveDataset, {}).dataset;
    const { train, validation, test } = pipeline.step(openDataset, { dataset });
    const cleaned = pipeline.step(cleanDocuments, pipeline.step(snapshotDocuments, {}).documents);
    const { documents } = pipeline.step(withholdDocuments, { documents: cleaned, validation, test });
    const { choice, start } = pipeline.step(resolveBase, {});
    const base = pipeline.step(pretrainBase, { start, documents });
    const learned = pipeline.step(mixInstructions, { train }).train;
    const sft = pipeline.step(trainSft, { base: base.model, train: learned, validation });
    const sftMerged = pipeline.step(mergeSft, { base: base.model, adapter: sft.adapter });
    const { prompts } = pipeline.step(posePrompts, { train });
    const { answers } = pipeline.step(generateRejected, { model: sftMerged.model, prompts });
    const { pairs } = pipeline.step(buildPreferencePairs, { train, answers });
    const gate = pipeline.step(gatePreferences, { documents: cleaned, pairs });
    const dpo = pipeline.step(trainDpo, { base: base.model, adapter: sft.adapter, pairs }, { after: [gate.report] });
    const dpoMerged = pipeline.step(mergeDpo, { base: base.model, adapter: dpo.adapter });
    return pipeline.step(registerCandidate, {
      dataset,
      documents,
      train: learned,
      pairs,
      choice,
      base: base.model,
      baseSummary: base.summary,
      sftAdapter: sft.adapter,
      sftSummary: sft.summary,
      sftModel: sftMerged.model,
      sftMerge: sftMerged.summary,
      dpoAdapter: dpo.adapter,
      dpoSummary: dpo.summary,
      dpoModel: dpoMerged.model,
      dpoMerge: dpoMerged.summary,
    });
  },
});
