import type { DatasetVersion, InstructionSample } from '../../src/contracts/dataset.ts';
import { sha256 } from '../../src/contracts/digest.ts';
import type { CleanDocument } from '../../src/contracts/document.ts';

/** An instruction sample of a document. */
export function sample(id: string, overrides: Partial<InstructionSample> = {}): InstructionSample {
  const document = overrides.document ?? `document-${id}`;
  return {
    id,
    instruction: `What does ${id} say?`,
    answer: `It says ${id}.`,
    method: 'heading-section',
    document,
    headings: ['Heading'],
    start: 0,
    end: 10,
    sources: [{ document, revision: sha256(document) }],
    ...overrides,
  };
}

/** A cleaned Markdown document. */
export function cleanDocument(id: string, text = `# ${id}\n\nText of ${id}.`): CleanDocument {
  return {
    id,
    tenant: 'default',
    sources: [{ document: id, revision: sha256(id) }],
    address: `file:${id}.md`,
    title: id,
    text,
    contentType: 'markdown',
    language: null,
    authorId: null,
    authorName: null,
    platform: 'file',
    dropped: {},
  };
}

/** A registered dataset whose splits are known by these digests. */
export function datasetVersion(): DatasetVersion {
  return {
    name: 'instructions',
    version: '0123456789ab',
    splits: {
      train: { artifact: sha256('train'), count: 3 },
      validation: { artifact: sha256('validation'), count: 1 },
      test: { artifact: sha256('test'), count: 1 },
    },
    preference: null,
    card: sha256('card'),
    createdAt: '2026-11-22T00:00:00.000Z',
  };
}
