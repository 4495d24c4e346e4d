import { z } from 'zod';
import { folder, json, rows } from '../../src/contracts/artifact.ts';
import { DatasetVersion, InstructionSample } from '../../src/contracts/dataset.ts';
import { DistillationSummary, PruningSummary } from '../../src/contracts/jobs.ts';
import { ModelVersion, ResolvedModel } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { readAlias } from '../../src/registry/aliases.ts';
import { datasetReference } from '../../src/registry/datasets.ts';
import { registerDistilled } from '../../src/registry/register-distilled.ts';

/** Registers the compressed model with what it was made of, and points the alias `candidate` at it: the gate decides the rest. */
export const registerDistilledModel = defineStep({
  name: 'register-distilled',
  version: 1,
  summary: 'Register the compressed version and name it the candidate',
  params: z.strictObject({ name: z.string().default('twin') }),
  inputs: {
    dataset: json('dataset-version', DatasetVersion),
    teacher: json('teacher', ModelVersion),
    pruning: json('pruning-summary', PruningSummary),
    model: folder('distilled-model'),
    summary: json('distillation-summary', DistillationSummary),
    train: rows('train-samples', InstructionSample),
  },
  outputs: { candidate: json('candidate', ResolvedModel) },
  needs: ['metadataStore'],
  effect: (params) => `model:${params.name}`,
  async observe({ params, ports }) {
    return (await readAlias(ports.metadataStore, params.name, 'candidate')).target ?? 'none';
  },
  async run({ params, inputs, inputDigests, outputs, ports, run }) {
    const { teacher, pruning, summary } = inputs;
    const distilled = {
      name: params.name,
      teacher,
      dataset: datasetReference(inputs.dataset),
      weights: inputDigests.model,
      data: inputDigests.train,
      pruning,
      summary,
    };
    await outputs.candidate.write({ alias: 'candidate', model: await registerDistilled(ports.metadataStore, distilled, run) });
  },
});
