import { z } from 'zod';
import { json, rows, verdict } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { EvaluationReport, ItemScore, RetrievalScores } from '../../src/contracts/evaluation.ts';
import { ComparedModels } from '../../src/contracts/registry.ts';
import { defineStep } from '../../src/engine/define.ts';
import { evaluationReport } from '../../src/metrics/report.ts';

/** Turns the scores of all items into figures, a paired difference with its interval, and a verdict. */
export const scoreReport = defineStep({
  name: 'score-report',
  version: 1,
  summary: 'Compare the candidate with its opponent, and conclude',
  params: z.strictObject({
    /** How much worse than the incumbent, in bits per byte, is still no worse. */
    margin: z.number().nonnegative().default(0.01),
    confidence: z.number().gt(0).lt(1).default(0.95),
    resamples: z.int().min(1000).default(10_000),
    seed: z.int().nonnegative().default(7),
    /** With less evidence than this the verdict is undecided. */
    minimumItems: z.int().positive().default(5),
    minimumDocuments: z.int().positive().default(2),
  }),
  inputs: {
    models: json('compared-models', ComparedModels),
    items: rows('test-samples', InstructionSample),
    scores: rows('item-scores', ItemScore),
    retrieval: json('retrieval-scores', RetrievalScores),
  },
  outputs: { report: verdict('evaluation-report', EvaluationReport) },
  async run({ inputs, inputDigests, outputs, params }) {
    const { base, sft, candidate, incumbent } = inputs.models;
    const { resamples, seed, confidence, margin, minimumItems, minimumDocuments } = params;
    const report = evaluationReport({
      frozenSet: inputDigests.items,
      scores: await Array.fromAsync(inputs.scores),
      versions: { base, sft, candidate, ...(incumbent !== null && { incumbent }) },
      retrieval: inputs.retrieval,
      bootstrap: { resamples, seed, confidence },
      margin,
      floor: { minimumItems, minimumDocuments },
    });
    await outputs.report.write(report);
  },
});
