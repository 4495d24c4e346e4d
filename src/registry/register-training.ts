import type { MergeSummary, TrainingSummary } from '../contracts/jobs.ts';
import { promptTemplateDigest } from '../contracts/prompt-template.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { nameCandidate } from './candidate.ts';
import type { ModelContent } from './models.ts';
import { modelReference, registerModel } from './models.ts';

/** An adapter, the weights that it was merged into, and what was learned; each by digest. */
export interface TunedModel {
  readonly weights: string;
  readonly adapter: string;
  readonly data: string;
  readonly summary: TrainingSummary;
  readonly merge: MergeSummary;
}

/** The three versions that one training run makes, and what they share. */
export interface TrainingRun {
  readonly name: string;
  /** `<name>@<version>` of the dataset. */
  readonly dataset: string;
  /** The version that was tuned; null where a tiny base was pretrained on the way. */
  readonly chosen: ModelVersion | null;
  readonly base: { readonly weights: string; readonly data: string; readonly summary: TrainingSummary };
  readonly sft: TunedModel;
  readonly dpo: TunedModel;
}

function baseContent({ name, base }: TrainingRun): ModelContent {
  return {
    name,
    method: 'pretrain-tiny',
    toy: true,
    weights: base.weights,
    adapter: null,
    base: null,
    parent: null,
    dataset: null,
    data: base.data,
    promptTemplate: promptTemplateDigest,
    params: base.summary.params,
    seed: base.summary.seed,
    libraries: base.summary.libraries,
    mergeDifference: null,
  };
}

function tunedContent(run: TrainingRun, method: 'sft' | 'dpo', base: ModelVersion, parent: ModelVersion | null): ModelContent {
  const { weights, adapter, data, summary, merge } = run[method];
  return {
    ...baseContent(run),
    toy: base.toy,
    method,
    weights,
    // Where every weight was tuned, what was merged is what was trained.
    adapter: summary.trainableParameters === summary.totalParameters ? null : adapter,
    base: modelReference(base),
    parent: parent === null ? null : modelReference(parent),
    dataset: run.dataset,
    data,
    params: summary.params,
    seed: summary.seed,
    libraries: summary.libraries,
    mergeDifference: merge.maxLogitDifference,
  };
}

/** Registers base, SFT and DPO as versions, and points the alias `candidate` at the last, which is returned. */
export async function registerTraining(store: MetadataStore, training: TrainingRun, run: string): Promise<ModelVersion> {
  const base = training.chosen ?? (await registerModel(store, baseContent(training), run));
  const sft = await registerModel(store, tunedContent(training, 'sft', base, null), run);
  const dpo = await registerModel(store, tunedContent(training, 'dpo', base, sft), run);
  await nameCandidate(store, dpo, { who: 'training-pipeline', reason: 'trained', run });
  return dpo;
}
