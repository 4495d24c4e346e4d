import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { InstructionSample } from '../../src/contracts/dataset.ts';
import { CleanDocument } from '../../src/contracts/document.ts';
import { defineStep } from '../../src/engine/define.ts';

/** Leaves out of the base's corpus every document that a held-out sample comes from. */
export const withholdDocuments = defineStep({
  name: 'withhold-documents',
  version: 1,
  summary: 'Keep held-out documents out of the corpus of the base',
  params: z.strictObject({}),
  inputs: {
    documents: rows('clean-documents', CleanDocument),
    validation: rows('validation-samples', InstructionSample),
    test: rows('test-samples', InstructionSample),
  },
  outputs: { documents: rows('pretraining-documents', CleanDocument) },
  async run({ inputs, outputs, count }) {
    const withheld = new Set<string>();
    for await (const sample of inputs.validation) withheld.add(sample.document);
    for await (const sample of inputs.test) withheld.add(sample.document);
    for await (const document of inputs.documents) {
      if (withheld.has(document.id)) count('withheld');
      else await outputs.documents.write(document);
    }
  },
});
