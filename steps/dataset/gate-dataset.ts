import { z } from 'zod';
import { rows, verdict } from '../../src/contracts/artifact.ts';
import { GateReport, InstructionSample } from '../../src/contracts/dataset.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { defaultGateLimits, gateSampleOf, gateSamples, type GateSample } from '../../src/datasets/gate.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Refuses a set that would teach or prove something else than it seems to. */
export const gateDataset = defineStep({
  name: 'gate-dataset',
  version: 1,
  summary: 'Refuse a set with faults, naming them',
  params: z.strictObject({
    /** The least that the splits must hold. */
    floors: z
      .strictObject({
        train: z.int().nonnegative().default(20),
        validation: z.int().nonnegative().default(1),
        test: z.int().nonnegative().default(5),
        testDocuments: z.int().nonnegative().default(2),
      })
      .prefault({}),
    /** Similarity from which on answers are duplicates, as in deduplicate-samples. */
    threshold: z.number().gt(0).max(1).default(defaultGateLimits.minHash.threshold),
    /** Words in a run that may not be shared across splits, as in decontaminate-samples. */
    overlapWords: z.int().positive().default(defaultGateLimits.overlapWords),
    /** The share of instructions that may speak of a text unseen. */
    danglingReferences: z.number().min(0).max(1).default(defaultGateLimits.danglingReferences),
  }),
  inputs: {
    documents: rows('clean-documents', CleanDocument),
    train: rows('train-samples', InstructionSample),
    validation: rows('validation-samples', InstructionSample),
    test: rows('test-samples', InstructionSample),
  },
  outputs: { report: verdict('dataset-gate', GateReport) },
  async run({ inputs, outputs, params, count }) {
    const samples: GateSample[] = [];
    for (const split of ['train', 'validation', 'test'] as const)
      for await (const sample of inputs[split]) samples.push(gateSampleOf(sample, split));
    const documents = new Set(samples.map(({ document }) => document));
    const texts = new Map<string, string>();
    for await (const { id, text } of inputs.documents) if (documents.has(id)) texts.set(id, text);
    const testDocuments = new Set(samples.flatMap(({ split, document }) => (split === 'test' ? [document] : [])));
    const floor = (what: string, count: number, minimum: number, parameter: string) => ({
      what,
      count,
      minimum,
      remedy: `collect more documents with prose under headings, or change ${parameter}`,
    });
    const floors = [
      floor('samples in the train split', inputs.train.count, params.floors.train, 'gate-dataset.floors.train'),
      floor('samples in the validation split', inputs.validation.count, params.floors.validation, 'split-samples.validation'),
      floor('samples in the test split', inputs.test.count, params.floors.test, 'split-samples.test'),
      floor('documents behind the test split', testDocuments.size, params.floors.testDocuments, 'split-samples.test'),
    ];
    const { threshold, overlapWords, danglingReferences } = params;
    const limits = { ...defaultGateLimits, minHash: { ...defaultGateLimits.minHash, threshold }, overlapWords, danglingReferences };
    const report = await gateSamples(samples, texts, floors, limits);
    for (const { check, count: amount } of report.findings) count(check, check === 'too-few' ? 1 : amount);
    await outputs.report.write(report);
  },
});
