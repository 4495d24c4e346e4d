import { z } from 'zod';
import { rows } from '../../src/contracts/artifact.ts';
import { Chunk, CleanDocument } from '../../src/contracts/document.ts';
import { defineMapStep, drop } from '../../src/engine/define.ts';
import { cutDocument } from '../../src/text/cut.ts';

/** Cuts each cleaned document into exact slices that fit the embedder's window. */
export const chunkDocuments = defineMapStep({
  name: 'chunk-documents',
  version: 1,
  summary: 'Cut documents into chunks that fit the embedder',
  params: z.strictObject({ maxTokens: z.int().positive().default(254), overlapTokens: z.int().nonnegative().default(32) }),
  input: rows('clean-documents', CleanDocument),
  output: rows('chunks', Chunk),
  needs: ['tokenizer'],
  run({ row, params, ports }) {
    const [first, ...others] = cutDocument(row, params, ports.tokenizer);
    return first ? [first, ...others] : drop(row, 'empty');
  },
});
