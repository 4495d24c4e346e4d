import { expect, test } from 'vitest';
import type { GateReport, InstructionSample } from '../../../src/contracts/dataset.ts';
import { gateDataset } from '../../../steps/dataset/gate-dataset.ts';
import { cleanDocument, instructionSample, wordsFrom } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const documents = Array.from({ length: 6 }, (_, index) => cleanDocument(`${wordsFrom(`d${index}x`, 25)}.`, { id: `document-${index}` }));
const samples = documents.map(({ id, text }) =>
  instructionSample({ id: `of-${id}`, instruction: `What is in ${id}?`, answer: text, document: id }),
);
const splits = (rows: readonly InstructionSample[]) => ({
  documents,
  train: rows.slice(0, 3),
  validation: rows.slice(3, 4),
  test: rows.slice(4),
});
const params = { floors: { train: 3, test: 2 } };

test('a sound set passes', async () => {
  const { outputs } = await runStep(gateDataset, { inputs: splits(samples), params });
  expect(outputs['report']).toMatchObject({ verdict: 'pass', findings: [] });
});

test('a set below the floors is refused, and the user is told what to do', async () => {
  const { outputs, counts } = await runStep(gateDataset, {
    inputs: { documents, train: samples.slice(0, 3), validation: [], test: samples.slice(5) },
  });
  const remedy = 'collect more documents with prose under headings, or change';
  expect((outputs['report'] as GateReport).reasons).toEqual([
    `too-few: there are 3 samples in the train split, and 20 are needed: ${remedy} gate-dataset.floors.train`,
    `too-few: there are 0 samples in the validation split, and 1 are needed: ${remedy} split-samples.validation`,
    `too-few: there are 1 samples in the test split, and 5 are needed: ${remedy} split-samples.test`,
    `too-few: there are 1 documents behind the test split, and 2 are needed: ${remedy} split-samples.test`,
  ]);
  expect(counts).toEqual({ 'too-few': 4 });
});

test('an answer that its document does not hold refuses the set', async () => {
  const edited = documents.with(0, cleanDocument('Edited meanwhile.', { id: 'document-0' }));
  const { outputs } = await runStep(gateDataset, { inputs: { ...splits(samples), documents: edited }, params });
  expect(outputs['report']).toMatchObject({
    verdict: 'refuse',
    findings: [{ check: 'ungrounded-answer', samples: [{ id: 'of-document-0' }] }],
  });
});
