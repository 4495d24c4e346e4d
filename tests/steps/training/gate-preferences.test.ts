import { expect, test } from 'vitest';
import { gatePreferences } from '../../../steps/training/gate-preferences.ts';
import { cleanDocument, wordsFrom } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const documents = Array.from({ length: 8 }, (_, index) => cleanDocument(`${wordsFrom(`d${index}x`, 25)}.`, { id: `document-${index}` }));
const pairs = documents.map(({ id, text, sources }, index) => ({
  id: `pair-${index}`,
  prompt: `What is in ${id}?`,
  chosen: text,
  rejected: `${wordsFrom(`m${index}x`, 25)}.`,
  document: id,
  sources,
}));

test('sound pairs pass', async () => {
  const { outputs } = await runStep(gatePreferences, { inputs: { documents, pairs } });
  expect(outputs['report']).toMatchObject({ verdict: 'pass' });
});

test('too few pairs are refused, and the user is told what to do', async () => {
  const { outputs } = await runStep(gatePreferences, { inputs: { documents, pairs: pairs.slice(0, 3) } });
  expect(outputs['report']).toMatchObject({
    verdict: 'refuse',
    reasons: [
      'too-few: there are 3 preference pairs, and 8 are needed: collect more documents, raise pose-prompts.limit, or lower gate-preferences.floors.pairs',
    ],
  });
});

test('pairs that length tells apart are refused', async () => {
  const lopsided = pairs.map((pair) => Object.assign({}, pair, { rejected: 'Short.' }));
  const { outputs } = await runStep(gatePreferences, { inputs: { documents, pairs: lopsided } });
  expect(outputs['report']).toMatchObject({ verdict: 'refuse', findings: [{ check: 'length-bias', count: 8 }] });
});
