import { z } from 'zod';
import { json, rows, verdict } from '../../src/contracts/artifact.ts';
import { DatasetCard, DropReport, GateReport, InstructionSample, SampledDocument } from '../../src/contracts/dataset.ts';
import { tallyCard } from '../../src/datasets/card.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Writes down what the set holds, where it comes from, and what was left out and why. */
export const writeCard = defineStep({
  name: 'write-card',
  version: 1,
  summary: 'Describe the set: counts, lengths, sources, what was dropped and why',
  params: z.strictObject({}),
  inputs: {
    sampled: rows('sampled-documents', SampledDocument),
    duplicates: json('dropped-duplicates', DropReport),
    overlaps: json('dropped-overlaps', DropReport),
    train: rows('train-samples', InstructionSample),
    validation: rows('validation-samples', InstructionSample),
    test: rows('test-samples', InstructionSample),
    gate: verdict('dataset-gate', GateReport),
  },
  outputs: { card: json('dataset-card', DatasetCard) },
  async run({ inputs, outputs }) {
    const generate: Record<string, number> = {};
    for await (const { skipped } of inputs.sampled) {
      for (const [reason, amount] of Object.entries(skipped)) generate[reason] = (generate[reason] ?? 0) + amount;
    }
    const tally = tallyCard();
    for (const split of ['train', 'validation', 'test'] as const) for await (const sample of inputs[split]) tally.add(split, sample);
    const dropped = { generate, deduplicate: inputs.duplicates.reasons, decontaminate: inputs.overlaps.reasons };
    await outputs.card.write(tally.card({ dropped, gate: inputs.gate }));
  },
});
