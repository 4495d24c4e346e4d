import type { DistillationSummary, PruningSummary } from '../contracts/jobs.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { nameCandidate } from './candidate.ts';
import { modelReference, registerModel } from './models.ts';

/** A model that was pruned and learned from the whole one; artifacts by digest. */
export interface Distilled {
  readonly name: string;
  readonly teacher: ModelVersion;
  /** `<name>@<version>` of the dataset. */
  readonly dataset: string;
  readonly weights: string;
  readonly data: string;
  readonly pruning: PruningSummary;
  readonly summary: DistillationSummary;
}

/** Registers a distilled version, whose parent is its teacher, and points the alias `candidate` at it. */
export async function registerDistilled(store: MetadataStore, distilled: Distilled, run: string): Promise<ModelVersion> {
  const { name, teacher, dataset, weights, data, pruning, summary } = distilled;
  const { method, share } = pruning;
  const model = await registerModel(
    store,
    {
      name,
      method: 'distilled',
      toy: teacher.toy,
      weights,
      adapter: null,
      base: teacher.base ?? modelReference(teacher),
      parent: modelReference(teacher),
      dataset,
      data,
      promptTemplate: teacher.promptTemplate,
      params: { pruning: { method, share }, distillation: summary.params },
      seed: summary.seed,
      libraries: summary.libraries,
      mergeDifference: null,
      compression: { pruning: method, share, zeros: pruning.zeros, prunedMeanKl: pruning.meanKl, ...summary.likeness },
    },
    run,
  );
  await nameCandidate(store, model, { who: 'compress-pipeline', reason: `distilled from ${modelReference(teacher)}`, run });
  return model;
}
