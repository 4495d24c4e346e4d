import { expect, test } from 'vitest';
import { writeCard } from '../../../steps/dataset/write-card.ts';
import { instructionSample } from '../../support/dataset-rows.ts';
import { runStep } from '../../support/step-rig.ts';

const sources = [{ document: 'document-1', revision: '0'.repeat(64) }];
const gate = { verdict: 'pass', checks: ['too-few'], findings: [], reasons: ['2 samples passed 1 checks'] };

test('the card sums what every stage dropped', async () => {
  const { outputs } = await runStep(writeCard, {
    inputs: {
      sampled: [
        { document: 'document-1', sources, samples: [], skipped: { 'too-short': 2 } },
        { document: 'document-1', sources, samples: [], skipped: { 'too-short': 1, 'code-only': 1 } },
      ],
      duplicates: { before: 3, after: 2, reasons: { 'exact-duplicate': 1 }, examples: [] },
      overlaps: { before: 2, after: 2, reasons: {}, examples: [] },
      train: [instructionSample()],
      validation: [],
      test: [instructionSample({ id: 'sample-2' })],
      gate,
    },
  });
  expect(outputs['card']).toMatchObject({
    counts: { train: 1, validation: 0, test: 1 },
    sources,
    dropped: { generate: { 'too-short': 3, 'code-only': 1 }, deduplicate: { 'exact-duplicate': 1 }, decontaminate: {} },
    gate,
  });
});
