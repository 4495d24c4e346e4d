import type { InstructionSample } from '../../src/contracts/dataset.ts';
import type { CleanDocument } from '../../src/contracts/document.ts';

const revision = '0'.repeat(64);

/** A cleaned document with what a test does not care about filled in. */
export function cleanDocument(text: string, change: Partial<CleanDocument> = {}): CleanDocument {
  const id = change.id ?? 'document-1';
  return {
    id,
    tenant: 'default',
    sources: [{ document: id, revision }],
    address: `file:${id}.md`,
    title: 'Guide',
    text,
    contentType: 'markdown',
    language: null,
    authorId: null,
    authorName: null,
    platform: 'file',
    dropped: {},
    ...change,
  };
}

/** An instruction sample whose answer stands at the start of its document. */
export function instructionSample(change: Partial<InstructionSample> = {}): InstructionSample {
  const answer = change.answer ?? 'Every chunk is an exact slice of the cleaned text that it comes from.';
  const document = change.document ?? 'document-1';
  return {
    id: 'sample-1',
    instruction: 'What is a chunk?',
    answer,
    method: 'heading-section',
    document,
    headings: ['Chunks'],
    start: 0,
    end: [...answer].length,
    sources: [{ document, revision }],
    ...change,
  };
}

/** `count` words that are unlike those of any other seed. */
export function wordsFrom(seed: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${seed}${index}`).join(' ');
}
