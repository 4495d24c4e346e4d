import { expect, test } from 'vitest';
import { withholdDocuments } from '../../../steps/training/withhold-documents.ts';
import { cleanDocument, sample } from '../../support/samples.ts';
import { runStep } from '../../support/step-rig.ts';

test('keeps every document of a held-out sample away from the base, and counts it', async () => {
  const { outputs, counts } = await runStep(withholdDocuments, {
    inputs: {
      documents: ['a', 'b', 'c'].map((id) => cleanDocument(id)),
      validation: [sample('1', { document: 'b' })],
      test: [sample('2', { document: 'c' })],
    },
  });
  expect(outputs.documents).toEqual([cleanDocument('a')]);
  expect(counts).toEqual({ withheld: 2 });
});
