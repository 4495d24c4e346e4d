import { z } from 'zod';
import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { ComparedModels, ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { incumbentOf, readAlias } from '../../src/registry/aliases.ts';
import { comparisonFor } from '../../src/registry/comparison.ts';
import { datasetReference, listDatasets } from '../../src/registry/datasets.ts';

/** Opens the models to compare, and the held-out samples of the dataset that the candidate was trained on. */
export const openComparison = defineStep({
  name: 'open-comparison',
  version: 1,
  summary: 'Open candidate, incumbent, base and the frozen set',
  params: z.strictObject({ name: z.string().default('twin'), alias: z.string().default('champion') }),
  inputs: { candidate: json('candidate', ResolvedModel) },
  outputs: {
    models: json('compared-models', ComparedModels),
    base: folder('base-model'),
    sft: folder('sft-model'),
    candidate: folder('candidate-model'),
    incumbent: folder('incumbent-model'),
    items: rows('test-samples', InstructionSample),
  },
  needs: ['metadataStore'],
  async observe({ params, ports }) {
    const candidate = (await readAlias(ports.metadataStore, params.name, 'candidate')).target;
    const alias = await readAlias(ports.metadataStore, params.name, params.alias);
    return (candidate === null ? alias.target : incumbentOf(alias, candidate)) ?? 'none';
  },
  async run({ inputs, outputs, params, ports }) {
    const candidate = inputs.candidate.model!;
    const { names, base, sft, incumbent } = await comparisonFor(ports.metadataStore, candidate, params.alias);
    const dataset = (await listDatasets(ports.metadataStore)).find((each) => datasetReference(each) === candidate.dataset);
    await outputs.models.write(names);
    await outputs.base.adopt({ digest: base.weights });
    await outputs.sft.adopt({ digest: sft.weights });
    await outputs.candidate.adopt({ digest: candidate.weights });
    await outputs.incumbent.adopt({ digest: (incumbent ?? base).weights });
    await outputs.items.adopt({ digest: dataset!.splits.test.artifact });
  },
});
