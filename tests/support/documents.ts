import type { Document } from '../../src/contracts/document.ts';

/** A small document of the default tenant, with what a test wants to say about it. */
export function exampleDocument(id: string, said: Partial<Document> = {}): Document {
  return {
    id,
    tenant: 'default',
    address: `file:${id}.md`,
    origin: '/articles',
    title: null,
    content: `Content of ${id}`,
    contentType: 'markdown',
    language: null,
    authorId: null,
    authorName: null,
    platform: 'file',
    ...said,
  };
}
