import { z } from 'zod';
import { json, rows } from '../../src/contracts/artifact.ts';
import { DropReport, InstructionSample, SampledDocument } from '../../src/contracts/dataset.ts';
import { deduplicateSamples as deduplicate } from '../../src/datasets/curation.ts';
import { candidateProbability, defaultMinHash } from '../../src/datasets/minhash.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Keeps one of each cluster of samples with the same answer or nearly so, and one sample an instruction. */
export const deduplicateSamples = defineStep({
  name: 'deduplicate-samples',
  version: 1,
  summary: 'Keep one of samples that repeat one another',
  params: z.strictObject({
    /** Jaccard similarity of three-word runs from which on two answers are duplicates. */
    threshold: z.number().gt(0).max(1).default(defaultMinHash.threshold),
  }),
  inputs: { sampled: rows('sampled-documents', SampledDocument) },
  outputs: { samples: rows('unique-samples', InstructionSample), dropped: json('dropped-duplicates', DropReport) },
  async run({ inputs, outputs, params, count, log }) {
    const options = { ...defaultMinHash, threshold: params.threshold };
    const samples: InstructionSample[] = [];
    for await (const document of inputs.sampled) samples.push(...document.samples);
    const { kept, report } = await deduplicate(samples, options);
    for (const sample of kept) await outputs.samples.write(sample);
    for (const [reason, amount] of Object.entries(report.reasons)) count(reason, amount);
    log(
      `Answers of similarity ${params.threshold} are compared with probability ${candidateProbability(params.threshold, options).toFixed(4)}`,
    );
    await outputs.dropped.write(report);
  },
});
