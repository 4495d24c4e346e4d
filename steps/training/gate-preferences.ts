import { z } from 'zod';
import { rows, verdict } from '../../src/contracts/artifact.ts';
import { GateReport, PreferencePair } from '../../src/contracts/dataset.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { defaultGateLimits, gatePairOf, gatePairs, type GatePair } from '../../src/datasets/gate.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Refuses a preference set that would teach length, nothing, or something that nobody wrote. */
export const gatePreferences = defineStep({
  name: 'gate-preferences',
  version: 1,
  summary: 'Refuse preference pairs with faults, naming them',
  params: z.strictObject({
    /** The least that the set must hold. */
    floors: z.strictObject({ pairs: z.int().nonnegative().default(8) }).prefault({}),
    /** One answer counts as longer from this share of the shorter on. */
    lengthTolerance: z.number().nonnegative().default(defaultGateLimits.lengthBias.tolerance),
    /** The most by which pairs with the longer answer chosen may outnumber the others, as a share of all. */
    lengthImbalance: z.number().min(0).max(1).default(defaultGateLimits.lengthBias.imbalance),
  }),
  inputs: { documents: rows('clean-documents', CleanDocument), pairs: rows('preference-pairs', PreferencePair) },
  outputs: { report: verdict('preference-gate', GateReport) },
  async run({ inputs, outputs, params, count }) {
    const pairs: GatePair[] = [];
    for await (const pair of inputs.pairs) pairs.push(gatePairOf(pair));
    const documents = new Set(pairs.map(({ document }) => document));
    const texts = new Map<string, string>();
    for await (const { id, text } of inputs.documents) if (documents.has(id)) texts.set(id, text);
    const floor = {
      what: 'preference pairs',
      count: pairs.length,
      minimum: params.floors.pairs,
      remedy: 'collect more documents, raise pose-prompts.limit, or lower gate-preferences.floors.pairs',
    };
    const lengthBias = { tolerance: params.lengthTolerance, imbalance: params.lengthImbalance };
    const report = await gatePairs(pairs, texts, [floor], { ...defaultGateLimits, lengthBias });
    for (const { check, count: amount } of report.findings) count(check, check === 'too-few' ? 1 : amount);
    await outputs.report.write(report);
  },
});
