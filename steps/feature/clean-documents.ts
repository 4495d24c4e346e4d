import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { CleanDocument, RevisedDocument } from '../../src/contracts/document.ts';
import { defineMapStep, drop } from '../../src/engine/define.ts';
import { cleanDocument } from '../../src/text/clean.ts';

/** Cleans each document by its content type; counts removed characters by reason, and drops what leaves nothing to read. */
export const cleanDocuments = defineMapStep({
  name: 'clean-documents',
  version: 1,
  summary: 'Clean documents by content type, and count every character that is dropped',
  params: z.strictObject({}),
  input: rows('documents', RevisedDocument),
  output: rows('clean-documents', CleanDocument),
  run({ row, count }) {
    const cleaned = cleanDocument(row);
    if ('reason' in cleaned) return drop(row, cleaned.reason);
    for (const [reason, characters] of Object.entries(cleaned.dropped)) count(`characters-dropped-${reason}`, characters);
    return cleaned;
  },
});
